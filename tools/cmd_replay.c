/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dav2m replay`: what the controller would have done with two recordings of the same work.
 */
#include "command.h"

int cmd_replay(int argc, char **argv)
{
	(void)argc;
	complain("%s: this build has no replay", argv[0]);
	return COMMAND_FAILED;
}
