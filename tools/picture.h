/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture that gnuplot draws, in a file that appears when it is whole.
 */
#ifndef DAV2M_TOOLS_PICTURE_H
#define DAV2M_TOOLS_PICTURE_H

#include <dav2m/host/error.h>

#include <stdio.h>

struct picture;

/* Whether the file's ending, .svg or .png, says how to draw it. */
int picture_is_named(const char *path);

/* Of so many pixels. Answers 0 or a negative enum dav2m_host_code. */
int picture_open(const char *path, int width, int height, struct picture **ret_picture,
		 struct dav2m_host_error *error);

/* Where gnuplot's script goes; terminal and output are set. */
FILE *picture_script(struct picture *picture);

/* A string for the script, in quotes. Control characters are left out: they would end it. */
void picture_quote(FILE *to, const char *text);

/* Draws and frees, whatever the answer. */
int picture_commit(struct picture *picture, struct dav2m_host_error *error);

/* NULL is allowed. */
void picture_abort(struct picture *picture);

#endif
