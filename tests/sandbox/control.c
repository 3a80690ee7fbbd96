#include "tests/sandbox/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/cloud_request.h"
#include "tests/sandbox/control_command.h"
#include "tests/sandbox/control_fault.h"
#include "tests/sandbox/control_options.h"
#include "tests/sandbox/control_report.h"

int control_fail(struct control *control, const char *text)
{
    snprintf(control->error, sizeof(control->error), "%s", text);
    return 0;
}

int64_t control_number(const struct control *control, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(control->request, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

const char *control_string(const struct control *control, const char *key)
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
        return control_fail(control, "an update needs a \"state\"");
    const json_t *version = json_object_get(control->request, "version");
    return send_request(control, "update",
                        json_pack("{s:s, s:O, s:O*}", "clientToken", "sandbox", "state", state,
                                  "version", version));
}

static int do_delete(struct control *control)
{
    return send_request(control, "delete", json_pack("{s:s}", "clientToken", "sandbox"));
}

static int do_forget(struct control *control)
{
    account_forget(control->account, control->thing, control->name);
    return 0;
}

static int do_option(struct control *control)
{
    const char *option = control_string(control, "option");
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
    {"fault", false, control_fault},  {"option", false, do_option},
    {"forget", true, do_forget},      {"options", false, do_options},
};

static int run(struct control *control)
{
    control->thing = json_string_value(json_object_get(control->request, "thing"));
    control->name = json_string_value(json_object_get(control->request, "name"));
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(control_string(control, "do"), commands[i].word) != 0)
            continue;
        if (commands[i].needs_thing &&
            (!control->thing || !cloud_names_are_valid(control->thing, control->name)))
            return control_fail(control,
                                "not the name of a thing or shadow: letters, digits, and :_- only");
        return commands[i].run(control);
    }
    return control_fail(control, "unknown command");
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
        r = control_fail(&control, "what was given is not JSON");
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
