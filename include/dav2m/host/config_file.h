/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller's config from text: an INI file, or single assignments of a command line.
 *
 *     [controller]
 *     preset = paper
 *     threshold_tmiss = 5e5
 *
 * The section line may be left out. preset, if given, must come first. Values are whole numbers;
 * 5e5 means 500000.
 */
#ifndef DAV2M_HOST_CONFIG_FILE_H
#define DAV2M_HOST_CONFIG_FILE_H

#include <dav2m/config.h>
#include <dav2m/host/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Sets one field from text, or all of them when name is "preset". Checks the field's own range.
 * Errors: ARGUMENT, CONFIG (the sentence names field and rule).
 */
DAV2M_API int dav2m_config_assign(struct dav2m_config *config, const char *name, const char *value,
				  struct dav2m_host_error *error);

/*
 * Applies a file's assignments to config; fields that it does not name keep their values. The
 * rules between fields are not checked: dav2m_config_check() when all is set.
 * Errors: ARGUMENT, IO, CONFIG (the sentence names file, line, field and rule).
 */
DAV2M_API int dav2m_config_load(const char *path, struct dav2m_config *config,
				struct dav2m_host_error *error);

/* Is told an assignment that a file has made, and the line it stands on. */
typedef void dav2m_config_see(void *context, size_t line, const char *name, const char *value);

/*
 * The same, and has see called after each assignment, in their order; a later line of the file may
 * still be wrong. NULL: as dav2m_config_load(). Errors: as there.
 */
DAV2M_API int dav2m_config_load_seen(const char *path, struct dav2m_config *config,
				     dav2m_config_see *see, void *context,
				     struct dav2m_host_error *error);

#ifdef __cplusplus
}
#endif

#endif
