#include "tests/scenario/life.h"

#include <stdlib.h>
#include <string.h>

struct life_section {
    char glob[64];
    struct policy policy;
};

static struct life_section life_sections[8];
static size_t life_section_count;

static unsigned life_keys(const struct policy *policy)
{
    unsigned keys = 0;
    keys |= policy->min_interval_ms ? POLICY_MIN_INTERVAL : 0u;
    keys |= policy->refresh_ms ? POLICY_REFRESH : 0u;
    keys |= policy->expire_ms ? POLICY_EXPIRE : 0u;
    keys |= policy->deadband > 0 ? POLICY_DEADBAND : 0u;
    keys |= policy->urgent ? POLICY_URGENT : 0u;
    keys |= policy->unset_on_exit ? POLICY_ON_EXIT : 0u;
    return keys;
}

static void life_apply(struct sim *sim)
{
    struct policies *policies = NULL;
    for (size_t i = 0; i < life_section_count; i++) {
        const struct policy_rule rule = {
            .glob = life_sections[i].glob,
            .keys = life_keys(&life_sections[i].policy),
            .policy = life_sections[i].policy,
        };
        if ((!policies && policies_new(&policies) < 0) || policies_add(policies, &rule) < 0)
            abort();
    }
    if (thing_set_policies(sim->net->thing, policies, sim->net->now_ms) < 0)
        abort();
    sim_turn(sim);
}

void life_policy(struct sim *sim, const char *glob, struct policy policy)
{
    if (life_section_count == sizeof(life_sections) / sizeof(*life_sections))
        abort();
    struct life_section *section = &life_sections[life_section_count++];
    (void)snprintf(section->glob, sizeof(section->glob), "%s", glob);
    section->policy = policy;
    life_apply(sim);
}

void life_no_policies(struct sim *sim)
{
    life_section_count = 0;
    life_apply(sim);
}

struct writer *life_open(struct sim *sim, const char *name)
{
    const struct writer_identity identity = {.name = name, .uid = 1000, .unit = "app.service"};
    struct writer *writer = NULL;
    if (thing_writer_open(sim->net->thing, &identity, sim->net->now_ms, &writer) < 0)
        abort();
    sim->net->writer = writer;
    return writer;
}

void life_close(struct sim *sim, struct writer *writer, bool clean)
{
    if (sim->net->writer == writer)
        sim->net->writer = NULL;
    thing_writer_close(sim->net->thing, writer, clean, sim->net->now_ms);
    sim_turn(sim);
}

size_t life_set(struct sim *sim, struct writer *writer, const char *path, const char *json)
{
    sim->net->writer = writer;
    return sim_set(sim, path, json);
}

int life_will(struct sim *sim, struct writer *writer, const char *path, int64_t number,
              struct shadow_refusal *ret_refusal)
{
    const struct shadow_operation operation = {
        .kind = FLUX_SET,
        .path = path,
        .path_size = strlen(path),
        .value = flux_value_int64(number),
    };
    return thing_writer_will(sim->net->thing, writer, sim->shadow, &operation, 1, ret_refusal);
}

json_t *life_key(struct sim *sim, const char *path)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    (void)shadow_write_keys(sim->shadow, path, strlen(path), NULL, sim->net->now_ms, &writer);
    json_t *keys = json_loadb(writer.text, writer.size, JSON_REJECT_DUPLICATES, NULL);
    flux_json_writer_clear(&writer);
    json_t *key = NULL, *found = NULL;
    size_t i;
    json_array_foreach(keys, i, key)
    {
        if (strcmp(json_string_value(json_object_get(key, "path")), path) == 0)
            found = json_incref(key);
    }
    json_decref(keys);
    return found;
}

void life_assert_key(struct sim *sim, const char *path, const char *field, const char *text)
{
    assert_good(sim);
    json_t *key = life_key(sim, path);
    const json_t *value = json_object_get(key, field);
    char *shown = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : strdup("(absent)");
    if (strcmp(shown, text) != 0)
        fail_msg("keys: %s of %s is %s, expected %s", field, path, shown, text);
    free(shown);
    json_decref(key);
}
