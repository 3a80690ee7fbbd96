#include "daemon/storage/file_system.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* Overlays may lie on overlays; the kernel itself allows no more than two. */
#define OVERLAYS_MAX 4u
#define PATH_BYTES   1024u

static bool is_octal(const char *text)
{
    for (unsigned i = 0; i < 3; i++) {
        if (text[i] < '0' || text[i] > '7')
            return false;
    }
    return true;
}

/* Blanks, commas and backslashes of a path stand there as a backslash with three octal digits. */
static bool copy_path(const char *text, char *ret_path, size_t size)
{
    size_t used = 0;
    while (*text && !strchr(", \n", *text)) {
        char c = *text++;
        if (c == '\\' && is_octal(text)) {
            c = (char)((text[0] - '0') * 64 + (text[1] - '0') * 8 + (text[2] - '0'));
            text += 3;
        }
        if (used + 1 >= size)
            return false;
        ret_path[used++] = c;
    }
    ret_path[used] = '\0';
    return used > 0;
}

/* "36 35 0:98 / /where rw,noatime shared:1 - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c"
 */
static bool is_overlay(const char *line, dev_t device)
{
    unsigned major_number, minor_number;
    return sscanf(line, "%*d %*d %u:%u ", &major_number, &minor_number) == 2 &&
           major_number == major(device) && minor_number == minor(device) &&
           strstr(line, " - overlay ");
}

bool file_system_find_upper(FILE *mounts, dev_t device, char *ret_path, size_t size)
{
    static const char option[] = ",upperdir=";
    char *line = NULL;
    size_t line_size = 0;
    bool is_found = false;
    while (!is_found && getline(&line, &line_size, mounts) > 0) {
        const char *upper =
            is_overlay(line, device) ? strstr(strstr(line, " - overlay "), option) : NULL;
        is_found = upper && copy_path(upper + strlen(option), ret_path, size);
    }
    free(line);
    return is_found;
}

static bool find_upper(const char *directory, char *ret_path, size_t size)
{
    struct stat status;
    FILE *mounts = stat(directory, &status) == 0 ? fopen("/proc/self/mountinfo", "re") : NULL;
    if (!mounts)
        return false;
    const bool is_found = file_system_find_upper(mounts, status.st_dev, ret_path, size);
    (void)fclose(mounts);
    return is_found;
}

bool file_system_is_memory(const char *directory)
{
    char path[PATH_BYTES], upper[PATH_BYTES];
    struct statfs file_system;
    if (snprintf(path, sizeof(path), "%s", directory) >= (int)sizeof(path))
        return false;
    for (unsigned i = 0; i < OVERLAYS_MAX && statfs(path, &file_system) == 0; i++) {
        if (file_system.f_type == TMPFS_MAGIC || file_system.f_type == (long)RAMFS_MAGIC)
            return true;
        if (file_system.f_type != OVERLAYFS_SUPER_MAGIC || !find_upper(path, upper, sizeof(upper)))
            return false;
        memcpy(path, upper, strlen(upper) + 1);
    }
    return false;
}
