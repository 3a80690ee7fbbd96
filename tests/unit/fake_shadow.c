#include "tests/unit/fake_shadow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROPERTIES_MAX 4096

struct fake_property {
    struct flux_property *property;
    uint64_t accepted, refused; /* revisions */
    int64_t version;
    int code;
    char text[64];
};

static struct {
    struct fake_property properties[PROPERTIES_MAX];
    size_t count;
    size_t pins;
    uint64_t revision, settled, serial, cost, effort;
    unsigned flushes;
    bool refuse_next;
    struct shadow_refusal refusal;
    char last_report[512];
    char *document;
} fake;

void fake_reset(void)
{
    for (size_t i = 0; i < fake.count; i++)
        free(fake.properties[i].property);
    free(fake.document);
    memset(&fake, 0, sizeof(fake));
}

static struct fake_property *find(const char *path, size_t size)
{
    for (size_t i = 0; i < fake.count; i++) {
        struct fake_property *entry = &fake.properties[i];
        if (strlen(entry->property->path) == size && memcmp(entry->property->path, path, size) == 0)
            return entry;
    }
    if (fake.count == PROPERTIES_MAX)
        abort();
    struct fake_property *entry = &fake.properties[fake.count++];
    entry->property = calloc(1, sizeof(*entry->property) + size + 1);
    if (!entry->property)
        abort();
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

void fake_accept(const char *path, int64_t version)
{
    struct fake_property *entry = find(path, strlen(path));
    entry->accepted = fake.revision;
    entry->version = version;
    fake.serial++;
}

void fake_refuse(const char *path, int code, const char *text)
{
    struct fake_property *entry = find(path, strlen(path));
    entry->refused = fake.revision;
    entry->code = code;
    (void)snprintf(entry->text, sizeof(entry->text), "%s", text);
    fake.serial++;
}

void fake_accept_ahead(const char *path, int64_t version)
{
    struct fake_property *entry = find(path, strlen(path));
    entry->accepted = UINT64_MAX;
    entry->version = version;
}

void fake_refuse_ahead(const char *path, int code, const char *text)
{
    fake_refuse(path, code, text);
    fake.serial--;
    find(path, strlen(path))->refused = UINT64_MAX;
}

void fake_settle(uint64_t revision)
{
    fake.settled = revision;
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

/* ---- what the sessions call ---- */

void thing_close_shadow(struct thing *thing, struct shadow *shadow)
{
    (void)thing;
    (void)shadow;
}

int thing_open_shadow(struct thing *thing, const char *thing_name, const char *shadow_name,
                      struct shadow **ret_shadow)
{
    (void)thing;
    if ((thing_name && *thing_name) || (shadow_name && *shadow_name))
        return -EOPNOTSUPP;
    *ret_shadow = (struct shadow *)&fake;
    return 0;
}

static void remember(const struct shadow_report *report)
{
    size_t used = (size_t)snprintf(fake.last_report, sizeof(fake.last_report), "resent=%d us=%lld",
                                   report->resent, (long long)report->set_us);
    for (size_t i = 0; i < report->operation_count && used < 400; i++) {
        const struct shadow_operation *operation = &report->operations[i];
        used += (size_t)snprintf(fake.last_report + used, sizeof(fake.last_report) - used,
                                 " %s %.*s", operation->kind == FLUX_SET ? "set" : "unset",
                                 (int)operation->path_size, operation->path);
        if (operation->value.type == FLUX_VALUE_INT64)
            used += (size_t)snprintf(fake.last_report + used, sizeof(fake.last_report) - used,
                                     "=%lld", (long long)operation->value.int64);
    }
}

int shadow_report(struct shadow *shadow, const struct shadow_report *report, int64_t now_ms,
                  struct shadow_wait *ret_waits, struct shadow_refusal *ret_refusal)
{
    (void)shadow;
    (void)now_ms;
    fake.effort += fake.cost;
    if (fake.refuse_next) {
        fake.refuse_next = false;
        *ret_refusal = fake.refusal;
        return SHADOW_REPORT_REFUSED;
    }
    remember(report);
    for (size_t i = 0; i < report->operation_count; i++) {
        struct fake_property *entry =
            find(report->operations[i].path, report->operations[i].path_size);
        ret_waits[i] = (struct shadow_wait){entry->property, ++fake.revision};
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
    (void)shadow;
    const struct fake_property *entry = find(wait->property->path, wait->property->path_size);
    struct shadow_fate fate = {.state = SHADOW_WAITING};
    if (wait->revision <= entry->accepted) {
        fate.state = SHADOW_ACCEPTED;
        fate.version = entry->version;
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
    (void)shadow;
    return fake.serial;
}

uint64_t thing_outcome_count(const struct thing *thing)
{
    (void)thing;
    return fake.serial + fake.settled;
}

uint64_t shadow_newest_revision(const struct shadow *shadow)
{
    (void)shadow;
    return fake.revision;
}

uint64_t shadow_stored_revision(const struct shadow *shadow)
{
    (void)shadow;
    return fake.settled;
}

uint64_t shadow_settled_revision(const struct shadow *shadow)
{
    (void)shadow;
    return fake.settled;
}

void shadow_flush(struct shadow *shadow, int64_t now_ms)
{
    (void)shadow;
    (void)now_ms;
    fake.flushes++;
}

int shadow_write(const struct shadow *shadow, enum shadow_section section, const char *path,
                 size_t path_size, struct flux_json_writer *writer)
{
    (void)shadow;
    (void)path;
    (void)path_size;
    if (section != SHADOW_SECTION_REPORTED)
        return -ENOTSUP;
    if (!fake.document)
        return -ENOENT;
    flux_json_raw(writer, fake.document, strlen(fake.document));
    return writer->error;
}
