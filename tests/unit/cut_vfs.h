/* An SQLite file system for tests that remembers every write and every sync, and makes of them what
 * a disk may hold when the power is cut at some moment: all that was synced, and of the rest any
 * part, sector by sector. It can also have syncs and writes fail as disks do. One at a time. */
#ifndef FLUXAWS_TESTS_CUT_VFS_H
#define FLUXAWS_TESTS_CUT_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CUT_VFS_NAME    "cut"
#define CUT_SECTOR_SIZE 512u

/* What becomes of what was not synced. */
enum cut_mode {
    CUT_NOTHING_MORE, /* it is lost */
    CUT_EVERYTHING,   /* it is there */
    CUT_LAST_TORN,    /* it is there up to the last write, half of which is */
    CUT_ANY_SECTORS,  /* each sector is there or not */
};

/* Register the file system, and forget what it remembered. Syncs cost nothing. */
void cut_vfs_install(void);
void cut_vfs_remove(void);

/* Remember, or only pass through. */
void cut_vfs_record(bool is_on);
/* Operations so far; whether operation `i` is a sync. */
size_t cut_vfs_count(void);
bool cut_vfs_is_sync(size_t i);

/* Let the sync after `after` further ones fail, 0: the next; -1: none. What it would have covered
 * may be lost from then on even if a later sync succeeds, as under Linux. */
void cut_vfs_fail_sync(int after);
/* Let reads or writes fail with this SQLite result code after `after` further ones, as long as it
 * is not set to SQLITE_OK again. */
void cut_vfs_fail_reads(int rc, int after);
void cut_vfs_fail_writes(int rc, int after);

/* Write what a disk may hold after the first `count` operations into the database at `path` and
 * its log. */
void cut_vfs_replay(const char *path, size_t count, enum cut_mode mode, unsigned seed);

#endif
