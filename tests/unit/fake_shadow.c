#include "tests/unit/fake_shadow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHADOWS_MAX    80
#define PROPERTIES_MAX 4096

struct fake_property {
    struct flux_property *property;
    uint64_t accepted, refused; /* revisions */
    int64_t version;
    int code;
    char text[64];
};

struct shadow {
    bool is_open;
    char name[FLUX_SHADOW_NAME_MAX + 1];
    struct fake_property *properties; /* PROPERTIES_MAX of them, once there is one */
    size_t count;
    size_t users, watchers;
    uint64_t revision, settled, serial, asked;
    bool is_reset;
};

static struct {
    struct shadow shadows[SHADOWS_MAX];
    struct shadow *used;
    size_t pins;
    uint64_t cost, effort;
    unsigned flushes, resets;
    int open_error;
    bool refuse_next, deadband;
    struct shadow_refusal refusal;
    char last_report[512];
    char *document;
} fake = {.used = fake.shadows};

static void shadow_clear(struct shadow *shadow)
{
    for (size_t i = 0; i < shadow->count; i++)
        free(shadow->properties[i].property);
    free(shadow->properties);
}

void fake_reset(void)
{
    for (size_t i = 0; i < SHADOWS_MAX; i++)
        shadow_clear(&fake.shadows[i]);
    free(fake.document);
    fake_wishes_reset();
    fake_programs_reset();
    memset(&fake, 0, sizeof(fake));
    fake.used = &fake.shadows[0];
}

static void *room_for(size_t count, size_t size)
{
    void *room = calloc(count, size);
    if (!room)
        abort();
    return room;
}

static struct shadow *shadow_at(const char *name)
{
    for (size_t i = 0; i < SHADOWS_MAX; i++) {
        struct shadow *shadow = &fake.shadows[i];
        if (!shadow->is_open)
            (void)snprintf(shadow->name, sizeof(shadow->name), "%s", name);
        if (strcmp(shadow->name, name) == 0)
            return shadow;
    }
    abort();
}

void fake_use(const char *name)
{
    fake.used = shadow_at(name);
}

const struct shadow *fake_used(void)
{
    return fake.used;
}

void fake_set_open_error(int error)
{
    fake.open_error = error;
}

static struct fake_property *find(struct shadow *shadow, const char *path, size_t size)
{
    for (size_t i = 0; i < shadow->count; i++) {
        struct fake_property *entry = &shadow->properties[i];
        if (strlen(entry->property->path) == size && memcmp(entry->property->path, path, size) == 0)
            return entry;
    }
    if (shadow->count == PROPERTIES_MAX)
        abort();
    if (!shadow->properties)
        shadow->properties = room_for(PROPERTIES_MAX, sizeof(*shadow->properties));
    struct fake_property *entry = &shadow->properties[shadow->count++];
    entry->property = room_for(1, sizeof(*entry->property) + size + 1);
    char *copy = (char *)entry->property->extension;
    memcpy(copy, path, size);
    entry->property->path = copy;
    entry->property->path_size = (uint32_t)size;
    return entry;
}

size_t fake_pins(void)
{
    return fake.pins;
}

size_t fake_users(void)
{
    size_t count = 0;
    for (size_t i = 0; i < SHADOWS_MAX; i++)
        count += fake.shadows[i].users;
    return count;
}

size_t fake_watchers(void)
{
    size_t count = 0;
    for (size_t i = 0; i < SHADOWS_MAX; i++)
        count += fake.shadows[i].watchers;
    return count;
}

void fake_accept(const char *path, int64_t version)
{
    struct fake_property *entry = find(fake.used, path, strlen(path));
    entry->accepted = fake.used->revision;
    entry->version = version;
    fake.used->serial++;
}

void fake_refuse(const char *path, int code, const char *text)
{
    struct fake_property *entry = find(fake.used, path, strlen(path));
    entry->refused = fake.used->revision;
    entry->code = code;
    (void)snprintf(entry->text, sizeof(entry->text), "%s", text);
    fake.used->serial++;
}

void fake_set_deadband(bool deadband)
{
    fake.deadband = deadband;
}

void fake_accept_ahead(const char *path, int64_t version)
{
    struct fake_property *entry = find(fake.used, path, strlen(path));
    entry->accepted = UINT64_MAX;
    entry->version = version;
}

void fake_refuse_ahead(const char *path, int code, const char *text)
{
    fake_refuse(path, code, text);
    fake.used->serial--;
    find(fake.used, path, strlen(path))->refused = UINT64_MAX;
}

void fake_settle(uint64_t revision)
{
    fake.used->settled = revision;
}

void fake_cost(uint64_t effort)
{
    fake.cost = effort;
}

void fake_refuse_next(int code, const char *path, const char *text)
{
    fake.refuse_next = true;
    fake.refusal.code = code;
    (void)snprintf(fake.refusal.path, sizeof(fake.refusal.path), "%s", path);
    (void)snprintf(fake.refusal.text, sizeof(fake.refusal.text), "%s", text);
}

const char *fake_last_report(void)
{
    return fake.last_report;
}

unsigned fake_flushes(void)
{
    return fake.flushes;
}

void fake_set_document(const char *json)
{
    free(fake.document);
    fake.document = strdup(json);
}

void fake_set_reset(bool is_reset)
{
    fake.used->is_reset = is_reset;
}

unsigned fake_resets(void)
{
    return fake.resets;
}

/* ---- what the sessions call ---- */

int thing_open_shadow(struct thing *thing, const char *thing_name, const char *shadow_name,
                      struct shadow **ret_shadow)
{
    (void)thing;
    const bool is_default = (!thing_name || !*thing_name) && (!shadow_name || !*shadow_name);
    if (!is_default && fake.open_error < 0)
        return fake.open_error;
    *ret_shadow = shadow_at(shadow_name ? shadow_name : "");
    (*ret_shadow)->is_open = true;
    (*ret_shadow)->users++;
    return 0;
}

void thing_hold_shadow(struct thing *thing, struct shadow *shadow)
{
    (void)thing;
    shadow->users++;
}

void thing_close_shadow(struct thing *thing, struct shadow *shadow)
{
    (void)thing;
    if (shadow->users-- == 0)
        abort();
}

struct shadow *thing_next_shadow(struct thing *thing, const struct shadow *previous)
{
    (void)thing;
    for (size_t i = previous ? (size_t)(previous - fake.shadows) + 1 : 0; i < SHADOWS_MAX; i++) {
        if (fake.shadows[i].is_open)
            return &fake.shadows[i];
    }
    return NULL;
}

static size_t remember_operation(size_t used, const struct shadow_operation *operation)
{
    const char *kind = operation->kind == FLUX_SET     ? "set"
                       : operation->kind == FLUX_UNSET ? "unset"
                                                       : "settle";
    char *end = fake.last_report + used;
    size_t left = sizeof(fake.last_report) - used;
    size_t size =
        (size_t)snprintf(end, left, " %s %.*s", kind, (int)operation->path_size, operation->path);
    if (operation->value.type == FLUX_VALUE_INT64)
        size +=
            (size_t)snprintf(end + size, left - size, "=%lld", (long long)operation->value.int64);
    return used + size;
}

void fake_remember(const char *head, const struct shadow_operation *operations, size_t count)
{
    size_t used = (size_t)snprintf(fake.last_report, sizeof(fake.last_report), "%s", head);
    for (size_t i = 0; i < count && used < 400; i++)
        used = remember_operation(used, &operations[i]);
}

bool fake_is_refused_now(struct shadow_refusal *ret_refusal)
{
    const bool is_refused = fake.refuse_next;
    fake.refuse_next = false;
    if (is_refused)
        *ret_refusal = fake.refusal;
    return is_refused;
}

int shadow_report(struct shadow *shadow, const struct shadow_report *report, int64_t now_ms,
                  struct shadow_wait *ret_waits, struct shadow_refusal *ret_refusal)
{
    (void)now_ms;
    if (!report->writer)
        abort();
    fake.effort += fake.cost;
    if (fake_is_refused_now(ret_refusal))
        return SHADOW_REPORT_REFUSED;
    char head[64];
    (void)snprintf(head, sizeof(head), "resent=%d us=%lld", report->resent,
                   (long long)report->set_us);
    fake_remember(head, report->operations, report->operation_count);
    for (size_t i = 0; i < report->operation_count; i++) {
        struct fake_property *entry =
            find(shadow, report->operations[i].path, report->operations[i].path_size);
        ret_waits[i] =
            (struct shadow_wait){.property = entry->property, .revision = ++shadow->revision};
        fake.pins++;
    }
    return SHADOW_REPORT_QUEUED;
}

uint64_t shadow_effort(const struct shadow *shadow)
{
    (void)shadow;
    return fake.effort;
}

struct shadow_fate shadow_fate(const struct shadow *shadow, const struct shadow_wait *wait)
{
    const struct fake_property *entry =
        find((struct shadow *)(uintptr_t)shadow, wait->property->path, wait->property->path_size);
    struct shadow_fate fate = {.state = SHADOW_WAITING};
    if (wait->revision <= entry->accepted) {
        fate.state = SHADOW_ACCEPTED;
        fate.version = entry->version;
        fate.deadband = fake.deadband;
    } else if (wait->revision <= entry->refused) {
        fate.state = SHADOW_REFUSED;
        fate.code = entry->code;
        fate.text = entry->text;
        fate.property = entry->property;
    }
    return fate;
}

void shadow_release(struct shadow *shadow, struct shadow_wait *wait)
{
    (void)shadow;
    (void)wait;
    fake.pins--;
}

uint64_t shadow_fate_serial(const struct shadow *shadow)
{
    return shadow->serial;
}

uint64_t thing_outcome_count(const struct thing *thing)
{
    (void)thing;
    uint64_t count = 0;
    for (size_t i = 0; i < SHADOWS_MAX; i++)
        count += fake.shadows[i].serial + fake.shadows[i].settled;
    return count;
}

uint64_t shadow_newest_revision(const struct shadow *shadow)
{
    return shadow->revision;
}

uint64_t shadow_stored_revision(const struct shadow *shadow)
{
    return shadow->settled;
}

void shadow_ask_stored(struct shadow *shadow, uint64_t revision)
{
    if (revision > shadow->asked)
        shadow->asked = revision;
}

uint64_t fake_asked(void)
{
    return fake.used->asked;
}

uint64_t shadow_settled_revision(const struct shadow *shadow)
{
    return shadow->settled;
}

void thing_flush(struct thing *thing, int64_t now_ms)
{
    (void)thing;
    (void)now_ms;
    fake.flushes++;
}

int shadow_write(const struct shadow *shadow, enum shadow_section section, const char *path,
                 size_t path_size, struct flux_json_writer *writer)
{
    (void)shadow;
    (void)section;
    (void)path;
    (void)path_size;
    if (!fake.document)
        return -ENOENT;
    flux_json_raw(writer, fake.document, strlen(fake.document));
    return writer->error;
}

const char *fake_held(const struct shadow *shadow, size_t index)
{
    return index < shadow->count ? shadow->properties[index].property->path : NULL;
}

const char *shadow_name(const struct shadow *shadow)
{
    return shadow->name;
}

int shadow_forget(struct shadow *shadow, const char *path, size_t path_size, int64_t now_ms)
{
    (void)now_ms;
    for (size_t i = 0; i < shadow->count; i++) {
        struct fake_property *entry = &shadow->properties[i];
        if (strlen(entry->property->path) != path_size ||
            memcmp(entry->property->path, path, path_size) != 0)
            continue;
        entry->refused = shadow->revision;
        entry->code = SHADOW_CODE_FORGOTTEN;
        (void)snprintf(entry->text, sizeof(entry->text), "forgotten");
        shadow->serial++;
        return 0;
    }
    return -ENOENT;
}

int shadow_reset(struct shadow *shadow, int64_t now_ms)
{
    (void)shadow;
    (void)now_ms;
    fake.resets++;
    return 0;
}

bool shadow_is_reset(const struct shadow *shadow)
{
    return shadow->is_reset;
}

void shadow_add_watcher(struct shadow *shadow)
{
    shadow->watchers++;
}

void shadow_remove_watcher(struct shadow *shadow)
{
    if (shadow->watchers-- == 0)
        abort();
}
