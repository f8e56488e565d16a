/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packs files into an initramfs: initramfs OUT NAME=FILE ... (all of them executable).
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int failed(struct archive *out, const char *what)
{
	fprintf(stderr, "initramfs: %s: %s\n", what, archive_error_string(out));
	return -1;
}

static int content_add(struct archive *out, FILE *file)
{
	char buffer[65536];
	size_t n;

	while ((n = fread(buffer, 1, sizeof(buffer), file)))
		if (archive_write_data(out, buffer, n) < 0)
			return failed(out, "data");
	return ferror(file) ? -1 : 0;
}

static int file_add(struct archive *out, const char *name, const char *path)
{
	struct archive_entry *entry = archive_entry_new();
	FILE *file = fopen(path, "rb");
	struct stat status;
	int answer = -1;

	if (!file || stat(path, &status)) {
		perror(path);
		goto end;
	}
	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, status.st_size);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0755);
	answer = archive_write_header(out, entry) != ARCHIVE_OK ? failed(out, name)
								: content_add(out, file);
end:
	if (file)
		fclose(file);
	archive_entry_free(entry);
	return answer;
}

static int dev_add(struct archive *out)
{
	struct archive_entry *entry = archive_entry_new();
	int answer;

	archive_entry_set_pathname(entry, "dev");
	archive_entry_set_filetype(entry, AE_IFDIR);
	archive_entry_set_size(entry, 0);
	archive_entry_set_perm(entry, 0755);
	answer = archive_write_header(out, entry) != ARCHIVE_OK ? failed(out, "dev") : 0;
	archive_entry_free(entry);
	return answer;
}

int main(int argc, char **argv)
{
	struct archive *out = archive_write_new();
	int answer = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: initramfs OUT NAME=FILE ...\n");
		return 2;
	}
	archive_write_set_format_cpio_newc(out);
	if (archive_write_open_filename(out, argv[1]) != ARCHIVE_OK)
		return failed(out, argv[1]) ? 1 : 0;
	answer = dev_add(out);
	for (int i = 2; i < argc && !answer; i++) {
		char *equals = strchr(argv[i], '=');

		if (!equals)
			return 2;
		*equals = '\0';
		answer = file_add(out, argv[i], equals + 1);
	}
	if (archive_write_close(out) != ARCHIVE_OK)
		answer = failed(out, argv[1]);
	archive_write_free(out);
	return answer ? 1 : 0;
}
