#include "tests/sandbox/control_fault.h"

#include <errno.h>
#include <string.h>

#include "tests/sandbox/cloud_request.h"

#define MAX_DELAY_MS 3600000

/* Read the operation of a rejection. Returns FAULT_EVERY_OPERATION for "any", -2 if it is none. */
static int read_operation(const struct control *control)
{
    const char *word = control_string(control, "operation");
    if (strcmp(word, "any") == 0)
        return FAULT_EVERY_OPERATION;
    for (int i = 0; i < SHADOW_SERVICE_OPERATIONS; i++) {
        if (strcmp(word, shadow_service_operation_name((enum shadow_service_operation)i)) == 0)
            return i;
    }
    return -2;
}

static const char *read_rejection(const struct control *control, struct fault *fault)
{
    int64_t code = control_number(control, "code", 0);
    fault->operation = read_operation(control);
    if (code < 400 || code > 599)
        return "a rejection needs a \"code\" from 400 to 599 and a \"count\"";
    fault->code = (int)code;
    return fault->operation < FAULT_EVERY_OPERATION
               ? "\"operation\" must be get, update, delete or any"
               : NULL;
}

/* Every update that names a key is rejected, or (code 0) every publish ends the connection. */
static const char *read_poison(const struct control *control, struct fault *fault)
{
    int64_t code = control_number(control, "code", 400);
    fault->key = control_string(control, "key");
    if (fault->key[0] == '\0' || (code != 0 && (code < 400 || code > 599)))
        return "a poison needs a \"key\", and a \"code\" from 400 to 599 or 0";
    fault->kind = code == 0 ? FAULT_CLOSE : FAULT_REJECT;
    if (code != 0)
        fault->operation = SHADOW_SERVICE_UPDATE;
    fault->code = (int)code;
    return NULL;
}

static const char *read_refusal(const struct control *control, struct fault *fault)
{
    fault->key = control_string(control, "filter");
    return fault->key[0] == '\0' ? "a refusal needs a \"filter\", in which * is any text" : NULL;
}

static const char *read_delay(const struct control *control, struct fault *fault)
{
    fault->ms = control_number(control, "ms", -1);
    if (fault->ms == 0)
        fault->count = 0;
    return fault->ms < 0 || fault->ms > MAX_DELAY_MS ? "a delay needs \"ms\", an hour at most"
                                                     : NULL;
}

static const struct word {
    const char *word;
    enum fault_kind kind;
    int64_t count; /* if none is given */
    const char *(*read)(const struct control *control, struct fault *fault);
} words[] = {
    {"reject", FAULT_REJECT, 1, read_rejection},
    {"poison", FAULT_REJECT, FAULT_ALWAYS, read_poison},
    {"refuse", FAULT_REFUSE, 1, read_refusal},
    {"delay", FAULT_DELAY, FAULT_ALWAYS, read_delay},
    {"drop", FAULT_DROP, 1, NULL},
    {"lose", FAULT_LOSE, 1, NULL},
    {"duplicate", FAULT_DUPLICATE, 1, NULL},
    {"reorder", FAULT_REORDER, 1, NULL},
    {"close", FAULT_CLOSE, 1, NULL},
};

/* Fill in which shadows are meant. Returns what is wrong with it, or NULL. */
static const char *read_scope(const struct control *control, struct fault *fault)
{
    fault->thing = control->thing;
    fault->name = json_string_value(json_object_get(control->request, "shadow"));
    bool is_named = fault->name && fault->name[0] != '\0';
    if (!cloud_names_are_valid(fault->thing ? fault->thing : "T", is_named ? fault->name : NULL))
        return "not the name of a thing or shadow: letters, digits, and :_- only";
    return NULL;
}

static int plan(struct control *control, const struct word *word)
{
    struct fault fault = {.kind = word->kind, .operation = FAULT_EVERY_OPERATION};
    bool always = strcmp(control_string(control, "count"), "always") == 0;
    int64_t count = control_number(control, "count", always ? FAULT_ALWAYS : word->count);
    if (count < 0 || count > FAULT_ALWAYS)
        return control_fail(control, "\"count\" is out of range");
    fault.count = (unsigned)count;
    int64_t percent = control_number(control, "percent", 0);
    if (percent < 0 || percent > 100)
        return control_fail(control, "\"percent\" is out of range");
    fault.percent = (unsigned)percent;
    const char *wrong = read_scope(control, &fault);
    if (!wrong && word->read)
        wrong = word->read(control, &fault);
    if (wrong)
        return control_fail(control, wrong);
    int r = faults_plan(&control->account->faults, &fault);
    return r == -ENOSPC ? control_fail(control, "too many faults are planned; end them first") : r;
}

int control_fault(struct control *control)
{
    const char *kind = control_string(control, "kind");
    if (strcmp(kind, "none") == 0) {
        account_end_faults(control->account);
        return 0;
    }
    if (strcmp(kind, "discard") == 0) {
        control->account->limits.enforced[LIMIT_MESSAGES_PER_SEC] =
            control_number(control, "count", 1) != 0;
        return 0;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(kind, words[i].word) == 0)
            return plan(control, &words[i]);
    }
    return control_fail(control, "\"kind\" must be reject, drop, lose, delay, duplicate, reorder, "
                                 "close, poison, refuse, discard or none");
}

static json_t *describe(const struct fault *fault)
{
    bool always = fault->count == FAULT_ALWAYS;
    const char *operation =
        fault->operation == FAULT_EVERY_OPERATION
            ? NULL
            : shadow_service_operation_name((enum shadow_service_operation)fault->operation);
    return json_pack(
        "{s:s, s:s*, s:o, s:o*, s:s*, s:s*, s:s*, s:o*, s:o*}", "kind",
        fault_kind_name(fault->kind), "operation", operation, "count",
        always ? json_string("always") : json_integer((json_int_t)fault->count), "percent",
        fault->percent > 0 ? json_integer((json_int_t)fault->percent) : NULL, "thing", fault->thing,
        "shadow", fault->name, fault->kind == FAULT_REFUSE ? "filter" : "key", fault->key, "code",
        fault->code != 0 ? json_integer(fault->code) : NULL, "ms",
        fault->ms != 0 ? json_integer((json_int_t)fault->ms) : NULL);
}

json_t *control_fault_list(const struct faults *faults)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < faults->count; i++) {
        if (json_array_append_new(list, describe(&faults->list[i]))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
