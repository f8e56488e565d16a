/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watching from outside what changes and what refuses: vCPUs that come and go, the routes to
 * KVM's statistics, interrupted reads, missing rights, a clock that jumped.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define SKIPPED 77
#define NOBODY	65534
#define GAPPED	4u /* KVM's number of a second vCPU: APIC IDs of some topologies leave gaps */
#define JUMP	(1ull << 41) /* more than the core believes of one sample */

static struct guest_vm vm;
static char folder[64];

static void vm_start(void)
{
	ck_assert_msg(!guest_memory_create(&vm, 1, 16, 16) && !guest_vm_open(&vm), "%s", vm.error);
}

static void folder_make(void)
{
	snprintf(folder, sizeof(folder), "%s/dav2m-kvm-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static struct dav2m_kvm_guest_setup setup_self(void)
{
	struct dav2m_kvm_guest_setup setup = DAV2M_KVM_GUEST_SETUP;

	setup.pid = (int)getpid();
	setup.hardware = 0;
	return setup;
}

static struct dav2m_kvm_guest *attach(const struct dav2m_kvm_guest_setup *setup)
{
	struct dav2m_kvm_fault fault = {0};
	struct dav2m_kvm_guest *guest = NULL;
	char text[300];

	ck_assert_msg(!dav2m_kvm_guest_attach(setup, &guest, &fault), "%s",
		      dav2m_kvm_fault_text(&fault, text, sizeof(text)));
	return guest;
}

START_TEST(vcpus_come_and_go)
{
	struct dav2m_kvm_guest_setup setup = setup_self();
	struct dav2m_kvm_guest *guest;
	struct dav2m_kvm_fault fault;
	struct dav2m_sample sample;
	int stats, second, second_stats, empty, empty_vm;

	empty = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	empty_vm = ioctl(empty, KVM_CREATE_VM, 0ul);
	ck_assert_int_eq(dav2m_kvm_guest_attach(&setup, &guest, &fault), DAV2M_ERR_BACKEND);
	ck_assert_str_eq(fault.what, "find a vCPU of the guest");
	close(empty_vm);
	close(empty);

	vm_start();
	stats = ioctl(vm.vcpu[0].fd, KVM_GET_STATS_FD, 0ul);
	guest = attach(&setup);
	ck_assert_uint_eq(dav2m_kvm_guest_vcpus(guest), 1);

	second = ioctl(vm.vm_fd, KVM_CREATE_VCPU, 1ul);
	second_stats = ioctl(second, KVM_GET_STATS_FD, 0ul);
	ck_assert_int_ge(second_stats, 0);
	ck_assert_int_eq(dav2m_kvm_guest_sample(guest, &sample, NULL), 0);
	ck_assert_uint_eq(dav2m_kvm_guest_vcpus(guest), 2);
	ck_assert_ptr_nonnull(dav2m_kvm_guest_vcpu_sample(guest, 1));

	close(second_stats);
	close(second);
	ck_assert_int_eq(dav2m_kvm_guest_sample(guest, &sample, NULL), 0);
	ck_assert_ptr_null(dav2m_kvm_guest_vcpu_sample(guest, 1));
	ck_assert_ptr_nonnull(dav2m_kvm_guest_vcpu_sample(guest, 0));
	ck_assert_int_eq(dav2m_kvm_guest_alive(guest), 1);

	close(stats);
	guest_vm_close(&vm);
	ck_assert_int_eq(dav2m_kvm_guest_sample(guest, &sample, &fault), DAV2M_ERR_BACKEND);
	ck_assert_str_eq(fault.todo, "it has ended");
	ck_assert_int_eq(dav2m_kvm_guest_alive(guest), 0);
	dav2m_kvm_guest_detach(guest);
}
END_TEST

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

START_TEST(debugfs_serves_when_nothing_else_does)
{
	struct dav2m_kvm_guest_setup setup = setup_self();
	struct dav2m_kvm_guest *guest;
	struct dav2m_sample sample;
	char path[256];

	folder_make();
	vm_start();
	snprintf(path, sizeof(path), "%s/kvm", folder);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/kvm/%d-5", folder, (int)getpid());
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/kvm/%d-5/pf_taken", folder, (int)getpid());
	file_write(path, "1234\n");
	setup.debugfs = folder;
	guest = attach(&setup);
	ck_assert_int_eq(dav2m_kvm_guest_route(guest), DAV2M_KVM_ROUTE_DEBUGFS);
	ck_assert_ptr_nonnull(dav2m_kvm_guest_refusal(guest, DAV2M_KVM_ROUTE_DESCRIPTORS)->what);
	ck_assert_ptr_nonnull(dav2m_kvm_guest_refusal(guest, DAV2M_KVM_ROUTE_QMP)->todo);
	file_write(path, "1300\n");
	ck_assert_int_eq(dav2m_kvm_guest_sample(guest, &sample, NULL), 0);
	ck_assert_uint_ne(sample.valid & DAV2M_BIT(DAV2M_PAGING_EXITS), 0);
	if (dav2m_kvm_guest_host(guest)->mode == DAV2M_SHADOW)
		ck_assert_uint_eq(sample.value[DAV2M_PAGING_EXITS], 1300);
	dav2m_kvm_guest_detach(guest);
	guest_vm_close(&vm);
	for (int depth = 0; depth < 4; depth++) { /* pf_taken, its folder, kvm, all of it */
		ck_assert_int_eq(remove(path), 0);
		*strrchr(path, '/') = '\0';
	}
}
END_TEST

/* QEMU's side: greets, and answers slowly, in pieces, with an event in between; the vCPU with the
   highest number first, as it really does. */
static void answer(int fd, const char *text)
{
	struct timespec pause = {.tv_nsec = 30000000};
	size_t half = strlen(text) / 2;

	nanosleep(&pause, NULL);
	ck_assert(write(fd, text, half) > 0);
	nanosleep(&pause, NULL);
	ck_assert(write(fd, text + half, strlen(text) - half) > 0);
}

static void *qemu(void *arg)
{
	static const char stats[] =
		"{\"event\":\"RESUME\"}\n{\"return\":["
		"{\"qom-path\":\"/b\",\"stats\":[{\"name\":\"pf_taken\",\"value\":5}]},"
		"{\"qom-path\":\"/a\",\"stats\":[{\"name\":\"pf_taken\",\"value\":77},"
		"{\"name\":\"odd\",\"value\":true}]}]}\n";
	static const char cpus[] =
		"{\"return\":[{\"cpu-index\":1,\"qom-path\":\"/b\",\"thread-id\":0},"
		"{\"cpu-index\":0,\"qom-path\":\"/a\",\"thread-id\":0}]}\n";
	int fd = accept(*(int *)arg, NULL, NULL);
	char command[512];
	ssize_t n;

	answer(fd, "{\"QMP\":{\"version\":{}}}\n");
	while ((n = read(fd, command, sizeof(command) - 1)) > 0) {
		command[n] = '\0';
		if (strstr(command, "qmp_capabilities"))
			answer(fd, "{\"return\":{}}\n");
		else if (strstr(command, "\"vcpu\""))
			answer(fd, stats);
		else if (strstr(command, "query-cpus-fast"))
			answer(fd, cpus);
		else
			answer(fd, "{\"return\":[]}\n");
	}
	close(fd);
	return NULL;
}

static void nothing(int signal)
{
	(void)signal;
}

/* Every read is interrupted several times while the answer is on its way. */
static void interrupt_often(void)
{
	struct itimerval timer = {.it_interval = {.tv_usec = 7000}, .it_value = {.tv_usec = 7000}};
	struct sigaction action = {.sa_handler = nothing};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

START_TEST(qmp_serves_and_survives_interruptions)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct dav2m_kvm_guest_setup setup = setup_self();
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct dav2m_kvm_values *values;
	struct dav2m_kvm_guest *guest;
	struct itimerval off = {.it_value = {0}};
	sigset_t alarm;
	pthread_t thread;
	int second, stats;

	folder_make();
	vm_start();
	stats = ioctl(vm.vcpu[0].fd, KVM_GET_STATS_FD, 0ul); /* no use: no thread has a name */
	second = ioctl(vm.vm_fd, KVM_CREATE_VCPU, (unsigned long)GAPPED);
	ck_assert_int_ge(second, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/qmp", folder);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* for QEMU's thread, which inherits it */
	ck_assert_int_eq(pthread_create(&thread, NULL, qemu, &listener), 0);
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	interrupt_often();
	setup.qmp = address.sun_path;
	guest = attach(&setup);
	setitimer(ITIMER_REAL, &off, NULL);
	ck_assert_int_eq(dav2m_kvm_guest_route(guest), DAV2M_KVM_ROUTE_QMP);
	values = dav2m_kvm_guest_vcpu_values(guest, 0);
	ck_assert_uint_eq(values->available, DAV2M_BIT(DAV2M_KVM_PF_TAKEN));
	ck_assert_uint_eq(values->value[DAV2M_KVM_PF_TAKEN], 77);
	values = dav2m_kvm_guest_vcpu_values(guest, GAPPED);
	ck_assert_uint_eq(values->value[DAV2M_KVM_PF_TAKEN], 5);
	close(second);
	close(stats);
	dav2m_kvm_guest_detach(guest);
	pthread_join(thread, NULL);
	guest_vm_close(&vm);
	unlink(address.sun_path);
	rmdir(folder);
}
END_TEST

START_TEST(without_rights_it_says_which)
{
	struct dav2m_kvm_guest_setup setup = DAV2M_KVM_GUEST_SETUP;
	struct dav2m_kvm_guest *guest = NULL;
	struct dav2m_kvm_fault fault = {0};

	setup.pid = 1;
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(dav2m_kvm_guest_attach(&setup, &guest, &fault), DAV2M_ERR_BACKEND);
	ck_assert_int_eq(fault.code, EACCES);
	ck_assert_ptr_nonnull(strstr(fault.todo, "run as root"));
}
END_TEST

/* A host that was suspended: counters leap, and nothing is decided on that. */
START_TEST(a_leap_of_the_counters_never_switches)
{
	static const struct support_stat stats[] = {{"pf_taken", KVM_STATS_TYPE_CUMULATIVE, 100}};
	struct dav2m_kvm_vcpu_setup setup = DAV2M_KVM_VCPU_SETUP;
	struct dav2m_config config = {.size = sizeof(config)};
	struct dav2m_kvm_drive drive = {.vcpus = 1};
	struct dav2m_decision decision;
	struct dav2m_kvm_vcpu vcpu;
	struct dav2m controller;
	int fd = support_stats(stats, 1);

	setup.stats_fd = fd;
	setup.hardware = 0;
	drive.vcpu = &vcpu;
	ck_assert_int_eq(dav2m_kvm_vcpu_open(&vcpu, &setup, NULL), 0);
	ck_assert_int_eq(dav2m_kvm_config(100, DAV2M_BIT(DAV2M_PAGING_EXITS), &config), 0);
	ck_assert_int_eq(dav2m_init(&controller, &config, DAV2M_SHADOW), 0);
	ck_assert_int_eq(dav2m_drive(&controller, &dav2m_kvm_backend, &drive, &decision), 0);
	support_stats_set(fd, 1, 0, JUMP);
	ck_assert_int_eq(dav2m_drive(&controller, &dav2m_kvm_backend, &drive, &decision), 0);
	ck_assert_int_eq(decision.action, DAV2M_STAY);
	ck_assert_int_eq(decision.reason, DAV2M_JUMP);
	support_stats_set(fd, 1, 0, 50);
	ck_assert_int_eq(dav2m_drive(&controller, &dav2m_kvm_backend, &drive, &decision), 0);
	ck_assert_int_eq(decision.action, DAV2M_STAY);
	dav2m_kvm_vcpu_close(&vcpu);
}
END_TEST

static int rights_run(void)
{
	const TTest *const tests[] = {without_rights_it_says_which};

	if (getuid()) {
		printf("skipped: needs root, to look at root's process as somebody else\n");
		return SKIPPED;
	}
	return support_run("kvm-rights", tests, 1, 60);
}

/* usage: test_kvm_outside [rights]: what needs root, or what needs /dev/kvm. */
int main(int argc, char **argv)
{
	const TTest *const tests[] = {vcpus_come_and_go, debugfs_serves_when_nothing_else_does,
				      qmp_serves_and_survives_interruptions,
				      a_leap_of_the_counters_never_switches};
	int fd;

	if (argc > 1 && !strcmp(argv[1], "rights"))
		return rights_run();
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		printf("skipped: /dev/kvm: %s\n", strerror(errno));
		return SKIPPED;
	}
	close(fd);
	return support_run("kvm-outside", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
