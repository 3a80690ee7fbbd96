#include "tests/unit/storage_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct storage_world storage_world;

int storage_world_setup(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    storage_world = (struct storage_world){.now_ms = 1000};
    return 0;
}

void storage_world_open(const char *mode)
{
    struct config config;
    assert_int_equal(config_init(&config), 0);
    assert_int_equal(config_set(&config, "Storage", "Mode", mode, "f", 1), 0);
    assert_int_equal(daemon_storage_open(&storage_world.storage, &config, "/somewhere", "thing",
                                         storage_world.now_ms),
                     0);
    config_clear(&config);
}

void storage_world_open_good(void)
{
    storage_world_open("durable");
    storage_world_turn();
    assert_true(fake.is_restored);
}

void storage_world_turn(void)
{
    daemon_storage_receive(&storage_world.storage, NULL, storage_world.now_ms);
    daemon_storage_turn(&storage_world.storage, NULL, storage_world.stop, storage_world.now_ms);
}

void storage_world_commit_ends(int error)
{
    assert_true(fake.is_busy);
    fake.is_busy = error == 0 && fake.saves > 1;
    fake.results[fake.result_count++] =
        (struct store_result){STORE_COMMIT, error, error ? "no disk" : "", false, "", "", 0};
    storage_world.storage.has_results = true;
    storage_world_turn();
}

void storage_world_want_save(size_t rows)
{
    fake.unsaved_rows = rows;
    fake.wants_save = fake.has_reports = fake.has_unsaved = rows > 0;
}
