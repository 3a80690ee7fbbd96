/* What the disk holds, as far as answers depend on it: a value that the cloud holds already is
 * accepted without being sent, but only once a crash could not bring back another one of ours. */
#include "daemon/shadow/ledger.h"
#include "proto/siphash.h"

static bool is_text(const struct flux_value *value)
{
    return value->type == FLUX_VALUE_STRING || value->type == FLUX_VALUE_ARRAY;
}

/* What is kept of a value: a text's size and hash stand for it. */
static struct flux_value digest(const struct ledger *ledger, const struct flux_value *value)
{
    struct flux_value kept = *value;
    if (is_text(value))
        kept.int64 = (int64_t)flux_siphash(value->text, value->size, ledger->set.hash_seed);
    return kept;
}

static bool is_same(const struct flux_value *a, const struct flux_value *b)
{
    if (!is_text(a) || !is_text(b))
        return !is_text(a) && !is_text(b) && flux_value_equal(a, b);
    return a->type == b->type && a->size == b->size && a->int64 == b->int64;
}

void ledger_note_row(struct ledger *ledger, struct flux_property *property, unsigned ahead)
{
    struct slot *slot = slot_of(property);
    slot->row_value = (struct flux_value){0};
    if (ledger_has_value(property))
        slot->row_value = digest(ledger, &property->value);
    slot->row_save = ledger->save_count + 1 + ahead;
}

void ledger_note_stored_row(struct ledger *ledger, struct flux_property *property)
{
    ledger_note_row(ledger, property, 0);
    slot_of(property)->row_save = 0;
}

void ledger_forget_row(struct flux_property *property)
{
    slot_of(property)->row_save = UINT64_MAX;
}

void ledger_note_saved(struct ledger *ledger)
{
    ledger->save_count++;
}

static bool is_row_stored(const struct ledger *ledger, const struct flux_property *property)
{
    return slot_of(property)->row_save <= ledger->save_count;
}

static bool is_absent_on_disk(const struct ledger *ledger, const struct flux_property *property)
{
    for (const struct flux_property *p = property; p; p = flux_property_next(property, p)) {
        if (!is_row_stored(ledger, p) || slot_of(p)->row_value.type != FLUX_VALUE_NONE)
            return false;
    }
    return true;
}

bool ledger_is_on_disk(const struct ledger *ledger, const struct flux_property *property,
                       uint64_t stored_revision)
{
    const struct slot *slot = slot_of(property);
    if (ledger_newest(property) <= stored_revision)
        return true;
    if (property->value.type == FLUX_VALUE_NONE)
        return is_absent_on_disk(ledger, property);
    if (property->cut || !is_row_stored(ledger, property))
        return false;
    struct flux_value value = digest(ledger, &property->value);
    return is_same(&slot->row_value, &value) ||
           ledger_is_within_deadband(property, &slot->row_value, &slot->cloud);
}
