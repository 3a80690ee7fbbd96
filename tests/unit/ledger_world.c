#include "tests/unit/ledger_world.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

int ledger_world_setup(void **state)
{
    static struct ledger_world world;
    *state = &world;
    world.now_ms = 0;
    assert_int_equal(ledger_init(&world.ledger, 1), 0);
    return view_init(&world.view, 2);
}

int ledger_world_teardown(void **state)
{
    struct ledger_world *world = *state;
    view_clear(&world->view);
    ledger_clear(&world->ledger);
    return 0;
}

void ledger_world_get(struct ledger_world *world, const char *text)
{
    struct cloud_message message;
    const char *reason;
    assert_int_equal(cloud_message_parse(&message, text, strlen(text), &reason),
                     CLOUD_MESSAGE_READ);
    assert_int_equal(view_replace(&world->view, &world->ledger, &message, world->now_ms), 0);
    cloud_message_clear(&message);
}

static struct flux_value read_value(const json_t *json, const char *text)
{
    if (json_is_string(json))
        return flux_value_string(json_string_value(json), json_string_length(json));
    if (json_is_integer(json))
        return flux_value_int64(json_integer_value(json));
    if (json_is_real(json))
        return flux_value_double(json_real_value(json));
    if (json_is_boolean(json))
        return flux_value_bool(json_is_true(json));
    return json_is_array(json) ? flux_value_array(text, strlen(text)) : flux_value_empty_object();
}

struct flux_property *ledger_world_report(struct ledger_world *world, const char *path,
                                          const char *json)
{
    struct flux_property *property = NULL;
    if (!json) {
        assert_int_equal(
            ledger_apply(&world->ledger, FLUX_UNSET, path, strlen(path), NULL, 0, &property), 0);
        return property;
    }
    json_t *parsed = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(parsed);
    struct flux_value value = read_value(parsed, json);
    assert_int_equal(
        ledger_apply(&world->ledger, FLUX_SET, path, strlen(path), &value, 0, &property), 0);
    json_decref(parsed);
    return property;
}
