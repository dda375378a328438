// SPDX-License-Identifier: GPL-2.0-only
/*
 * gupwalk: the page tables before and after a kernel call that gets at user memory.
 */
#include <linux/module.h>

#include "caller.h"
#include "debugfs.h"
#include "observe.h"
#include "record.h"
#include "target.h"
#include "uapi/gupwalk.h"

static int __init gupwalk_init(void)
{
	int ret;

	ret = gw_records_init();
	if (ret)
		return ret;
	ret = gw_target_init();
	if (ret)
		goto err_records;
	ret = gw_callers_init();
	if (ret)
		goto err_target;
	ret = gw_observe_init();
	if (ret)
		goto err_callers;
	ret = gw_debugfs_init();
	if (ret)
		goto err_observe;
	return 0;

err_observe:
	gw_observe_exit();
err_callers:
	gw_callers_exit();
err_target:
	gw_target_exit();
err_records:
	gw_records_exit();
	return ret;
}

static void __exit gupwalk_exit(void)
{
	gw_debugfs_exit();
	gw_observe_exit();
	gw_callers_exit();
	gw_target_exit();
	gw_records_exit();
}

module_init(gupwalk_init);
module_exit(gupwalk_exit);

MODULE_DESCRIPTION("page tables before and after get_user_pages and its relatives");
MODULE_AUTHOR("the gupwalk project");
MODULE_LICENSE("GPL");
MODULE_VERSION(GUPWALK_VERSION);
