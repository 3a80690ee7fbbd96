#include "daemon/storage/file_system.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static const char mounts[] =
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "36 22 0:98 / /merged rw,noatime shared:1 - overlay overlay "
    "rw,lowerdir=/lower,upperdir=/media/root-rw/up,workdir=/media/root-rw/work\n"
    "37 22 0:99 / /odd rw - overlay none "
    "rw,lowerdir=/l,upperdir=/with\\040blank\\134\\054,workdir=/w\n"
    "38 22 0:100 / /read-only ro - overlay overlay ro,lowerdir=/a:/b\n"
    "39 22 0:101 / /not-one rw - tmpfs tmpfs rw,upperdir=/no\n"
    "40 22 0:102 / /last rw - overlay o rw,lowerdir=/l,upperdir=/last/up\n";

static bool find(unsigned major_number, unsigned minor_number, char *ret_path, size_t size)
{
    FILE *stream = fmemopen((char *)(uintptr_t)mounts, sizeof(mounts) - 1, "r");
    assert_non_null(stream);
    const bool is_found =
        file_system_find_upper(stream, makedev(major_number, minor_number), ret_path, size);
    assert_int_equal(fclose(stream), 0);
    return is_found;
}

static void test_overlay_is_followed_to_where_it_writes(void **state)
{
    (void)state;
    char path[64] = "";
    assert_true(find(0, 98, path, sizeof(path)));
    assert_string_equal(path, "/media/root-rw/up");
    assert_true(find(0, 99, path, sizeof(path)));
    assert_string_equal(path, "/with blank\\,");
    assert_true(find(0, 102, path, sizeof(path)));
    assert_string_equal(path, "/last/up");
}

static void test_what_is_no_overlay_or_does_not_write_has_no_such_place(void **state)
{
    (void)state;
    char path[64];
    assert_false(find(254, 0, path, sizeof(path)));
    assert_false(find(0, 100, path, sizeof(path)));
    assert_false(find(0, 101, path, sizeof(path)));
    assert_false(find(0, 103, path, sizeof(path)));
    assert_false(find(0, 98, path, strlen("/media/root-rw/up"))); /* no room for its end */
    assert_true(find(0, 98, path, strlen("/media/root-rw/up") + 1));
}

/* In mounts of its own: an overlay that writes to memory, if this may be done here. Returns what
 * the process below ended with: 0 as it should be, 1 it is not, 2 no mounts. */
static int look_at_overlay(const char *place)
{
    char options[512], low[128], up[128], work[128], merged[128];
    (void)snprintf(options, sizeof(options), "lowerdir=%s/low,upperdir=%s/up,workdir=%s/work",
                   place, place, place);
    (void)snprintf(merged, sizeof(merged), "%.100s/merged", place);
    (void)snprintf(low, sizeof(low), "%.100s/low", place);
    (void)snprintf(up, sizeof(up), "%.100s/up", place);
    (void)snprintf(work, sizeof(work), "%.100s/work", place);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", place, "tmpfs", 0, NULL) < 0 || mkdir(low, 0700) < 0 ||
        mkdir(up, 0700) < 0 || mkdir(work, 0700) < 0 || mkdir(merged, 0700) < 0 ||
        mount("overlay", merged, "overlay", 0, options) < 0)
        return 2;
    return file_system_is_memory(merged) ? 0 : 1;
}

static void test_overlay_that_writes_to_memory_is_memory(void **state)
{
    (void)state;
    char place[] = "/tmp/fluxaws-overlay.XXXXXX";
    assert_non_null(mkdtemp(place));
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(look_at_overlay(place));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(rmdir(place), 0);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 2)
        skip(); /* needs root, and a kernel with overlays */
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_plain_places(void **state)
{
    (void)state;
    assert_false(file_system_is_memory("/proc"));
    assert_false(file_system_is_memory("/nonexistent"));
    struct stat status;
    if (stat("/dev/shm", &status) == 0 && S_ISDIR(status.st_mode))
        assert_true(file_system_is_memory("/dev/shm"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlay_is_followed_to_where_it_writes),
        cmocka_unit_test(test_what_is_no_overlay_or_does_not_write_has_no_such_place),
        cmocka_unit_test(test_overlay_that_writes_to_memory_is_memory),
        cmocka_unit_test(test_plain_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
