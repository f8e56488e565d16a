/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ATLAS paper's driver: C = A B on x-by-x matrices of doubles in column-major order, a process
 * per run; three matrices are allocated, filled with random numbers, multiplied and freed. Other
 * residents of the guest come first, with the sizes that the paper gives (section 5.2).
 *
 * "dgemm" multiplies as ATLAS does (ATL_gemm, the outer loops in the order j, i, k), read in its
 * later sources and inferred for the paper's 3.7.35; that a workspace may have 64 MB, which is more
 * than is needed here, is new in 3.7.35 by its change log:
 *
 *	for each part of the k dimension, as long as CacheEdge allows:
 *		A's part is copied, block by block and transposed, to a workspace
 *		for each column of blocks j: B's is copied
 *			for each row of blocks i: a block is summed up over all k, and added to C
 *
 * "dgemm-naive" is the reference BLAS: for j, for l, for i: C(i,j) += B(l,j) A(i,l).
 *
 * The order of references is followed column of a block by column (below that, a block's few
 * pages are touched over and over), and folded: workload_fold.h says why that is exact.
 */
#include "workload_source.h"

/* Blocking of the L1 kernel, rows held in registers: the paper's table 5. */
#define NB	      36u
#define MU	      6u
/* The k dimension is cut so that a panel of A, one of B and a block fit CacheEdge (ATL_gemm:
   CE_maxK), which is 1024 KB on the native 256 MB kernel (the paper's table 4): 1800. */
#define CACHE_EDGE    (1024u * 1024u / 8u) /* doubles */
#define K_PART	      ((CACHE_EDGE - NB * NB) / (NB * 2u * NB) * NB)
/* malloc's header: large blocks begin that far into a page. */
#define MALLOC_HEADER 8u

#define FILL_PAGES 256u /* in a step */
#define PAGE_BYTES (1ull << DAV2M_SIM_PAGE_SHIFT)

/* Pages. A 32-bit process's usual places. */
#define CODE_LOOPS  0x8048ull
#define CODE_KERNEL 0x8049ull
#define CODE_COPY   0x804aull
#define STACK	    0xbffffull
#define MATRICES    0x20000ull
#define WORKSPACE   0x90000ull
#define C_BLOCK	    0x0a000ull

/* Residents: init 648 KB, udevd 868 KB, a shell 1420 KB; the first three processes. */
static const uint32_t resident_pages[3] = {648 / 4, 868 / 4, 1420 / 4};
#define RESIDENTS    3u
#define SHELL	     2u
/* What a small C program touches until main() runs, as in workload_system.c. */
#define PROGRAM_TEXT 60u
#define PROGRAM_DATA 40u

enum phase { RESIDENT = 0, BEGIN, FILL, PART, COPY_A, COPY_B, MULTIPLY, NAIVE, END };

/* One step. */
struct work {
	struct sim_dgemm *at;
	struct sim_out *out;
	uint32_t n;
	int naive;
	uint64_t first_pid;
	struct sim_fold fold;
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t blocks(uint32_t n)
{
	return (n + NB - 1) / NB;
}

static uint64_t matrix_pages(uint32_t n)
{
	return (8ull * n * n + MALLOC_HEADER + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* Byte address of element (row, column) of matrix 0 to 2: A, B, C. */
static uint64_t element(uint32_t n, uint32_t matrix, uint32_t row, uint32_t column)
{
	return (MATRICES + matrix * matrix_pages(n)) * PAGE_BYTES + MALLOC_HEADER +
	       8 * ((uint64_t)column * n + row);
}

/* Doubles from an address on, with so many references for each two of them; page by page. */
static void touch(struct work *w, enum dav2m_sim_kind kind, uint64_t address, uint32_t doubles,
		  uint32_t per_two)
{
	const uint64_t end = address + 8ull * doubles;

	while (address < end) {
		const uint64_t page = address / PAGE_BYTES;
		const uint64_t stop = (page + 1) * PAGE_BYTES < end ? (page + 1) * PAGE_BYTES : end;

		sim_fold_touch(&w->fold, w->out, kind, page,
			       (uint32_t)(stop - address) / 8 * per_two / 2);
		address = stop;
	}
}

static void fetch(struct work *w, uint64_t page, uint32_t n)
{
	for (; n > DAV2M_SIM_RUN_MAX; n -= DAV2M_SIM_RUN_MAX)
		sim_put(w->out, DAV2M_SIM_FETCH, page, DAV2M_SIM_RUN_MAX);
	sim_put(w->out, DAV2M_SIM_FETCH, page, n);
}

static void map(struct work *w, enum dav2m_sim_event event, uint64_t page, uint64_t pages)
{
	sim_put_event(w->out, event, page * PAGE_BYTES, pages * PAGE_BYTES,
		      DAV2M_SIM_PROT_READ | DAV2M_SIM_PROT_WRITE);
}

/* The part of k that is under way. */
static uint32_t part_k(const struct work *w)
{
	return smaller(K_PART, w->n - w->at->part);
}

/* The workspace: B's panel, then A's blocks, row of blocks by row of blocks. */
static uint64_t panel_b(void)
{
	return WORKSPACE * PAGE_BYTES + 32;
}

/* Where the row of blocks begins that holds row i of A. */
static uint64_t blocks_a(const struct work *w, uint32_t i)
{
	return panel_b() + 8ull * part_k(w) * (NB + (uint64_t)i);
}

static uint64_t workspace_pages(const struct work *w)
{
	return (8ull * part_k(w) * (w->n + NB) + 32 + PAGE_BYTES) / PAGE_BYTES;
}

static void resident_step(struct work *w)
{
	uint32_t i;

	sim_put_event(w->out, DAV2M_SIM_SWITCH, w->first_pid + w->at->i, 0, 0);
	fetch(w, CODE_LOOPS, 10000);
	for (i = 0; i + 1 < resident_pages[w->at->i]; i++)
		sim_put(w->out, DAV2M_SIM_STORE, 0x8100 + i, 64);
	if (++w->at->i == RESIDENTS)
		w->at->phase = BEGIN;
}

static void begin_step(struct work *w)
{
	const uint64_t shell = w->first_pid + SHELL;
	const uint64_t pid = shell + 1 + w->at->run % (SIM_INSTANCE_PIDS - RESIDENTS - 1);
	uint32_t i;

	sim_put_event(w->out, DAV2M_SIM_SWITCH, shell, 0, 0);
	sim_put_event(w->out, DAV2M_SIM_FORK, pid, 0, 0);
	sim_put_event(w->out, DAV2M_SIM_SWITCH, pid, 0, 0);
	sim_put_event(w->out, DAV2M_SIM_EXEC, 0, 0, 0);
	for (i = 0; i < PROGRAM_TEXT; i++)
		fetch(w, CODE_LOOPS + i, 2000);
	for (i = 0; i < PROGRAM_DATA; i++)
		sim_put(w->out, DAV2M_SIM_STORE, STACK - i, 16);
	map(w, DAV2M_SIM_MAP, MATRICES, 3 * matrix_pages(w->n));
	w->at->phase = FILL;
	w->at->i = 0;
}

/* Each element gets a random number, some 30 instructions (inferred). */
static void fill_step(struct work *w)
{
	const uint32_t pages = (uint32_t)(3 * matrix_pages(w->n));
	uint32_t i;

	for (i = 0; i < FILL_PAGES && w->at->i < pages; i++, w->at->i++) {
		fetch(w, CODE_LOOPS + 20, 512 * 30);
		sim_put(w->out, DAV2M_SIM_STORE, MATRICES + w->at->i, 512);
	}
	if (w->at->i < pages)
		return;
	w->at->phase = w->naive ? NAIVE : PART;
	w->at->part = w->at->i = w->at->j = 0;
}

static void part_step(struct work *w)
{
	if (w->at->part > 0) {
		const uint32_t part = w->at->part;

		w->at->part -= K_PART;
		map(w, DAV2M_SIM_UNMAP, WORKSPACE, workspace_pages(w));
		w->at->part = part;
	}
	w->at->phase = END;
	if (w->at->part >= w->n)
		return;
	map(w, DAV2M_SIM_MAP, WORKSPACE, workspace_pages(w));
	w->at->phase = COPY_A;
	w->at->i = w->at->j = 0;
}

/* One block of A, column by column into the rows of the copy. 4 instructions an element. */
static void copy_a_step(struct work *w)
{
	const uint32_t rows = smaller(NB, w->n - w->at->i);
	const uint32_t columns = smaller(NB, part_k(w) - w->at->k);
	const uint64_t to = blocks_a(w, w->at->i) + 8ull * w->at->k * rows;
	uint32_t row, column;

	fetch(w, CODE_COPY, 4 * rows * columns);
	for (column = 0; column < columns; column++) {
		for (row = 0; row < rows; row++) {
			touch(w, DAV2M_SIM_LOAD,
			      element(w->n, 0, w->at->i + row, w->at->part + w->at->k + column), 1,
			      2);
			touch(w, DAV2M_SIM_STORE, to + 8ull * (row * columns + column), 1, 2);
		}
	}
	w->at->k += NB;
	if (w->at->k < part_k(w))
		return;
	w->at->k = 0;
	w->at->i += NB;
	if (w->at->i < w->n)
		return;
	w->at->i = 0;
	w->at->phase = COPY_B;
}

/* One column of B's panel, a piece into each block. 3 instructions an element. */
static void copy_b_step(struct work *w)
{
	const uint32_t width = smaller(NB, w->n - w->at->j);
	const uint32_t column = w->at->i;
	uint32_t k;

	fetch(w, CODE_COPY, 3 * part_k(w));
	for (k = 0; k < part_k(w); k += NB) {
		const uint32_t rows = smaller(NB, part_k(w) - k);

		touch(w, DAV2M_SIM_LOAD, element(w->n, 1, w->at->part + k, w->at->j + column), rows,
		      2);
		touch(w, DAV2M_SIM_STORE, panel_b() + 8ull * (k * width + column * rows), rows, 2);
	}
	if (++w->at->i < width)
		return;
	w->at->i = 0;
	w->at->phase = MULTIPLY;
}

/*
 * A block times a block, column of C by column. For each MU rows of C the kernel reads as many
 * rows of A and a column of B, two doubles at a time (SSE2): per multiply-add pair one MULPD, which
 * reads A, and one ADDPD; per MU rows a load for each two of B; a load and a store per element of
 * C.
 */
static void kernel(struct work *w, uint32_t rows, uint32_t columns, uint32_t k)
{
	const uint32_t depth = smaller(NB, part_k(w) - k);
	const uint64_t a = blocks_a(w, w->at->i) + 8ull * k * rows;
	const uint64_t b = panel_b() + 8ull * k * columns;
	const uint32_t groups = (rows + MU - 1) / MU;
	uint32_t column;

	fetch(w, CODE_KERNEL, columns * (rows * depth + groups * depth / 2 + 2 * rows));
	for (column = 0; column < columns; column++) {
		const uint64_t c = C_BLOCK * PAGE_BYTES + 32 + 8ull * column * rows;

		touch(w, DAV2M_SIM_LOAD, c, rows, 2);
		/* B's page is touched between A's pages, and after the last of them. */
		touch(w, DAV2M_SIM_LOAD, a, 2, 1);
		touch(w, DAV2M_SIM_LOAD, b + 8ull * column * depth, depth, groups);
		touch(w, DAV2M_SIM_LOAD, a, rows * depth, 1);
		touch(w, DAV2M_SIM_LOAD, b + 8ull * column * depth, depth, 0);
		touch(w, DAV2M_SIM_STORE, c, rows, 2);
	}
}

/* The sum is added to C. 4 instructions an element. */
static void block_put(struct work *w, uint32_t rows, uint32_t columns)
{
	uint32_t column;

	fetch(w, CODE_COPY, 4 * rows * columns);
	for (column = 0; column < columns; column++) {
		const uint64_t c = element(w->n, 2, w->at->i, w->at->j + column);

		touch(w, DAV2M_SIM_LOAD, C_BLOCK * PAGE_BYTES + 32 + 8ull * column * rows, rows, 2);
		touch(w, DAV2M_SIM_LOAD, c, rows, 2);
		touch(w, DAV2M_SIM_STORE, c, rows, 2);
	}
}

/* One block of the k dimension. */
static void multiply_step(struct work *w)
{
	const uint32_t rows = smaller(NB, w->n - w->at->i);
	const uint32_t columns = smaller(NB, w->n - w->at->j);

	fetch(w, CODE_LOOPS, 100);
	kernel(w, rows, columns, w->at->k);
	w->at->k += NB;
	if (w->at->k < part_k(w))
		return;
	block_put(w, rows, columns);
	w->at->k = 0;
	w->at->i += NB;
	if (w->at->i < w->n)
		return;
	w->at->i = 0;
	w->at->j += NB;
	w->at->phase = COPY_B;
	if (w->at->j < w->n)
		return;
	w->at->part += K_PART;
	w->at->phase = PART;
}

/* Elements from a byte address on that share its page. */
static uint32_t page_rest(uint64_t address)
{
	return (uint32_t)((PAGE_BYTES - address % PAGE_BYTES + 7) / 8);
}

/* C(:,j) += B(l,j) A(:,l). 6 instructions an element (inferred: no SSE2, a loop not unrolled). */
static void naive_step(struct work *w)
{
	const uint32_t j = w->at->j, l = w->at->k;
	uint32_t i, some;

	touch(w, DAV2M_SIM_LOAD, element(w->n, 1, l, j), 1, 2);
	fetch(w, CODE_KERNEL, 6 * w->n);
	for (i = 0; i < w->n; i += some) {
		const uint64_t a = element(w->n, 0, i, l), c = element(w->n, 2, i, j);

		some = smaller(w->n - i, smaller(page_rest(a), page_rest(c)));
		touch(w, DAV2M_SIM_LOAD, a, some, 2);
		touch(w, DAV2M_SIM_LOAD, c, some, 2);
		touch(w, DAV2M_SIM_STORE, c, some, 2);
	}
	if (++w->at->k < w->n)
		return;
	w->at->k = 0;
	if (++w->at->j == w->n)
		w->at->phase = END;
}

static void end_step(struct work *w)
{
	map(w, DAV2M_SIM_UNMAP, MATRICES, 3 * matrix_pages(w->n));
	sim_put_event(w->out, DAV2M_SIM_EXIT_PROCESS, 0, 0, 0);
	sim_put_event(w->out, DAV2M_SIM_SWITCH, w->first_pid + SHELL, 0, 0);
	w->at->phase = BEGIN;
	w->at->run++;
}

static void dgemm_step(struct dav2m_sim_source *source, struct sim_out *out)
{
	static void (*const steps[])(struct work *) = {
		[RESIDENT] = resident_step, [BEGIN] = begin_step,   [FILL] = fill_step,
		[PART] = part_step,	    [COPY_A] = copy_a_step, [COPY_B] = copy_b_step,
		[MULTIPLY] = multiply_step, [NAIVE] = naive_step,   [END] = end_step};
	struct work w = {.at = &source->dgemm, .out = out, .n = source->size};

	w.first_pid = 1 + (uint64_t)source->instance * SIM_INSTANCE_PIDS;
	w.naive = source->program == sim_dgemm_program(1);
	steps[w.at->phase](&w);
	sim_fold_flush(&w.fold, out);
}

static uint64_t fill_steps(uint32_t n)
{
	return (3 * matrix_pages(n) + FILL_PAGES - 1) / FILL_PAGES;
}

static uint64_t atlas_steps(uint32_t n)
{
	uint64_t steps = RESIDENTS + 2 + fill_steps(n) + 1;
	uint32_t part;

	for (part = 0; part < n; part += K_PART) {
		const uint64_t depth = blocks(smaller(K_PART, n - part));

		steps += 1 + blocks(n) * depth + n + blocks(n) * blocks(n) * depth;
	}
	return steps;
}

static uint64_t naive_steps(uint32_t n)
{
	return RESIDENTS + 2 + fill_steps(n) + (uint64_t)n * n;
}

#define SIZES .window_inst = 100000000, .size = 1000, .size_min = 100, .size_max = 4000

static const struct sim_program dgemms[] = {
	{
		.workload = {.name = "dgemm",
			     .about = "C = A B by ATLAS; size: the matrices' dimension",
			     .source = "ATLAS paper, section 5.1, with its parameters. Inferred: "
				       "loops and copies, from ATL_gemm in later ATLAS sources",
			     SIZES},
		.steps_of = atlas_steps,
		.step = dgemm_step,
	},
	{
		.workload = {.name = "dgemm-naive",
			     .about = "C = A B by three loops; size: the matrices' dimension",
			     .source = "reference BLAS; the driver as in dgemm",
			     SIZES},
		.steps_of = naive_steps,
		.step = dgemm_step,
	},
};

size_t sim_dgemm_count(void)
{
	return sizeof(dgemms) / sizeof(dgemms[0]);
}

const struct sim_program *sim_dgemm_program(size_t index)
{
	return &dgemms[index];
}
