/* The place of the database: its directory, who owns it, setting a database aside. Knows nothing of
 * what is inside. */
#ifndef FLUXAWS_STORAGE_STATE_FILE_H
#define FLUXAWS_STORAGE_STATE_FILE_H

#include "daemon/storage/store.h"
#include <sys/types.h>

/* One file per major of the schema. */
#define STATE_FILE_NAME "state-1.db"
/* So many databases that were set aside are kept, the newest. */
#define STATE_FILE_ASIDE_MAX 3u

struct state_place {
    char directory[STORE_PATH_MAX]; /* resolved */
    char database[STORE_PATH_MAX];
    char log[STORE_PATH_MAX];
    bool is_new;       /* made just now, empty */
    bool is_in_memory; /* a power cut takes it away */
    dev_t device;
    ino_t inode;
};

/* Make sure that there is a database file that nobody else could have made or can exchange: the
 * directory is the daemon's own or root's and not open to everybody, the file a regular one of its
 * own. A missing directory is made with mode 0700 (not its parents), a missing file with 0600, both
 * for good. `place` was zeroed, or prepared before. Returns 0, or a negative errno with the reason
 * in `ret_text`; -EROFS: all is well but that it cannot be written. */
int state_file_prepare(struct state_place *place, const char *directory,
                       char ret_text[static STORE_TEXT_MAX]);

/* Tell whether the path still leads to the file that was prepared. */
bool state_file_is_same(const struct state_place *place);
/* Tell whether there is a file at a path. */
bool state_file_exists(const char *path);
/* Bytes of the file at `path`, 0: there is none. */
uint64_t state_file_size(const char *path);

/* Rename the database and its log to a dated name, and remove older ones beyond
 * STATE_FILE_ASIDE_MAX. The database must not be open. Returns 0: there was none; 1: done; or a
 * negative errno, -EPERM where it is not the daemon's own file. */
int state_file_set_aside(const char *directory, char *ret_path, size_t size);

/* Write the id of this boot, or "" where the system does not tell. */
void state_file_read_boot_id(char *ret_id, size_t size);

#endif
