#include "tests/sandbox/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/cloud_request.h"
#include "tests/sandbox/control_options.h"
#include "tests/sandbox/control_report.h"

/* What a command works on, and what it says: a JSON value, or an error in words. */
struct control {
    struct account *account;
    const json_t *request;
    const char *thing; /* NULL: none or not a name */
    const char *name;  /* NULL: the classic shadow */
    int64_t now_ms;
    json_t *result;  /* NULL: say "ok" only */
    char error[256]; /* empty: it went well */
};

static int fail(struct control *control, const char *text)
{
    snprintf(control->error, sizeof(control->error), "%s", text);
    return 0;
}

static int64_t number(const struct control *control, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(control->request, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static const char *string(const struct control *control, const char *key)
{
    const char *value = json_string_value(json_object_get(control->request, key));
    return value ? value : "";
}

static int do_shadow(struct control *control)
{
    struct shadow_service *service = control->account->service;
    const json_t *document = shadow_service_document(service, control->thing, control->name);
    if (!document) {
        snprintf(control->error, sizeof(control->error),
                 "no shadow: '%s'%s%s has never been written, or was deleted", control->thing,
                 control->name ? ", shadow " : "", control->name ? control->name : "");
        return 0;
    }
    json_int_t version = shadow_service_version(service, control->thing, control->name);
    control->result = json_pack("{s:O, s:I}", "state", document, "version", version);
    if (control->result && json_is_true(json_object_get(control->request, "metadata")))
        return json_object_set(
            control->result, "metadata",
            (json_t *)shadow_service_metadata(service, control->thing, control->name));
    return control->result ? 0 : -ENOMEM;
}

static int do_things(struct control *control)
{
    control->result = control_report_things(control->account);
    return control->result ? 0 : -ENOMEM;
}

static int do_counters(struct control *control)
{
    control->result = control_report_counters(control->account);
    return control->result ? 0 : -ENOMEM;
}

static int do_reset_counters(struct control *control)
{
    account_reset_counters(control->account);
    return 0;
}

/* Send a request as an application in the cloud would, and make its answer the result. */
static int send_request(struct control *control, const char *operation, json_t *body)
{
    if (!body)
        return -ENOMEM;
    struct cloud_text text = {0};
    cloud_json_write(&text, body);
    json_decref(body);
    char topic[300];
    snprintf(topic, sizeof(topic), "$aws/things/%s/shadow/%s%s%s%s", control->thing,
             control->name ? "name/" : "", control->name ? control->name : "",
             control->name ? "/" : "", operation);
    char *answer = NULL;
    int r = text.failed ? -ENOMEM
                        : account_request_now(control->account, topic, text.data, text.size,
                                              control->now_ms, &answer);
    free(text.data);
    if (r < 0)
        return r;
    control->result = answer ? json_loads(answer, JSON_ALLOW_NUL, NULL) : NULL;
    free(answer);
    const json_t *code = json_object_get(control->result, "code");
    if (code)
        snprintf(control->error, sizeof(control->error), "the shadow service says %d: %.200s",
                 (int)json_integer_value(code),
                 json_string_value(json_object_get(control->result, "message")));
    return 0;
}

static int do_update(struct control *control)
{
    json_t *state = json_object_get(control->request, "state");
    if (!state)
        return fail(control, "an update needs a \"state\"");
    const json_t *version = json_object_get(control->request, "version");
    return send_request(control, "update",
                        json_pack("{s:s, s:O, s:O*}", "clientToken", "sandbox", "state", state,
                                  "version", version));
}

static int do_delete(struct control *control)
{
    return send_request(control, "delete", json_pack("{s:s}", "clientToken", "sandbox"));
}

static int reject_next(struct control *control)
{
    static const enum shadow_service_operation operations[] = {
        SHADOW_SERVICE_GET, SHADOW_SERVICE_UPDATE, SHADOW_SERVICE_DELETE};
    int64_t code = number(control, "code", 0);
    int64_t count = number(control, "count", 1);
    if (code < 400 || code > 599 || count < 0 || count > UINT32_MAX)
        return fail(control, "a rejection needs a \"code\" from 400 to 599 and a \"count\"");
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
        if (strcmp(string(control, "operation"), shadow_service_operation_name(operations[i])) ==
            0) {
            shadow_service_reject_next(control->account->service, operations[i], (unsigned)count,
                                       (int)code);
            return 0;
        }
    }
    return fail(control, "\"operation\" must be get, update or delete");
}

/* Every update that names a key is rejected, or (code 0) ends the connection. */
static int poison(struct control *control)
{
    struct account_faults *faults = &control->account->faults;
    const char *key = string(control, "key");
    int64_t code = number(control, "code", 400);
    if (key[0] == '\0' || (code != 0 && (code < 400 || code > 599)))
        return fail(control, "a poison needs a \"key\", and a \"code\" from 400 to 599 or 0");
    if (code != 0)
        return shadow_service_poison(control->account->service, key, (int)code);
    char *copy = strdup(key);
    if (!copy)
        return -ENOMEM;
    free(faults->close_key);
    faults->close_key = copy;
    return 0;
}

static int end_faults(struct control *control)
{
    struct shadow_service *service = control->account->service;
    account_end_faults(control->account);
    for (int i = 0; i < SHADOW_SERVICE_OPERATIONS; i++)
        shadow_service_reject_next(service, (enum shadow_service_operation)i, 0, 0);
    return shadow_service_poison(service, NULL, 0);
}

static int do_fault(struct control *control)
{
    struct account_faults *faults = &control->account->faults;
    const char *kind = string(control, "kind");
    int64_t count = number(control, "count", 1);
    int64_t delay_ms = number(control, "ms", 0);
    if (count < 0 || count > UINT32_MAX || delay_ms < 0)
        return fail(control, "\"count\" or \"ms\" is out of range");
    if (strcmp(kind, "reject") == 0)
        return reject_next(control);
    if (strcmp(kind, "poison") == 0)
        return poison(control);
    if (strcmp(kind, "none") == 0)
        return end_faults(control);
    if (strcmp(kind, "lose") == 0)
        faults->lose = (unsigned)count;
    else if (strcmp(kind, "duplicate") == 0)
        faults->duplicate = (unsigned)count;
    else if (strcmp(kind, "close") == 0)
        faults->close = (unsigned)count;
    else if (strcmp(kind, "delay") == 0)
        faults->delay_ms = delay_ms;
    else
        return fail(control,
                    "\"kind\" must be lose, duplicate, close, delay, reject, poison or none");
    return 0;
}

static int do_option(struct control *control)
{
    const char *option = string(control, "option");
    const json_t *value = json_object_get(control->request, "value");
    if (control_option_set(control->account, option, value) < 0)
        snprintf(control->error, sizeof(control->error),
                 "'%.64s' is not an option, or cannot have that value; `options` lists them all",
                 option);
    return 0;
}

static int do_options(struct control *control)
{
    control->result = control_options_list(control->account);
    return control->result ? 0 : -ENOMEM;
}

static const struct command {
    const char *word;
    bool needs_thing;
    int (*run)(struct control *control);
} commands[] = {
    {"shadow", true, do_shadow},      {"things", false, do_things},
    {"counters", false, do_counters}, {"reset-counters", false, do_reset_counters},
    {"update", true, do_update},      {"delete", true, do_delete},
    {"fault", false, do_fault},       {"option", false, do_option},
    {"options", false, do_options},
};

static int run(struct control *control)
{
    control->thing = json_string_value(json_object_get(control->request, "thing"));
    control->name = json_string_value(json_object_get(control->request, "name"));
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(string(control, "do"), commands[i].word) != 0)
            continue;
        if (commands[i].needs_thing &&
            (!control->thing || !cloud_names_are_valid(control->thing, control->name)))
            return fail(control,
                        "not the name of a thing or shadow: letters, digits, and :_- only");
        return commands[i].run(control);
    }
    return fail(control, "unknown command");
}

int control_handle(struct account *account, const char *request, size_t size, int64_t now_ms,
                   struct cloud_text *ret_answer)
{
    json_t *value = NULL;
    struct control control = {.account = account, .now_ms = now_ms};
    int r = cloud_json_parse(request, size, true, &value);
    control.request = value;
    if (r == 0)
        r = run(&control);
    else if (r > 0)
        r = fail(&control, "what was given is not JSON");
    struct cloud_text answer = {0};
    if (r == 0) {
        cloud_text_add(&answer, control.error[0] ? "error\n" : "ok\n");
        if (control.error[0])
            cloud_text_add(&answer, control.error);
        else if (control.result)
            cloud_json_write_pretty(&answer, control.result);
    }
    json_decref(control.result);
    json_decref(value);
    if (r < 0 || answer.failed) {
        free(answer.data);
        return -ENOMEM;
    }
    *ret_answer = answer;
    return 0;
}
