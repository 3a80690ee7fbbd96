/* Judges what the engine sends: never backwards, budgets, and that a document says what the newest
 * reports say. */
#include "tests/scenario/oracle.h"

#include "tests/scenario/oracle_store.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

static size_t oracle_digits(const char *text, size_t size)
{
    size_t count = 0, zeros = 0;
    for (size_t i = 0; i < size && text[i] != 'e' && text[i] != 'E'; i++) {
        if (!isdigit((unsigned char)text[i]))
            continue;
        if (count == 0 && text[i] == '0')
            continue;
        count++;
        zeros = text[i] == '0' ? zeros + 1 : 0;
    }
    return count - zeros;
}

static bool oracle_number_is_short(const char *text, size_t size)
{
    char number[64];
    if (size >= sizeof(number))
        return false;
    memcpy(number, text, size);
    number[size] = '\0';
    if (strpbrk(number, ".eE") == NULL)
        return true; /* an integer is exact */
    double real = strtod(number, NULL);
    for (int digits = 1; digits <= 17; digits++) {
        char shortest[64];
        (void)snprintf(shortest, sizeof(shortest), "%.*e", digits - 1, real);
        double again = strtod(shortest, NULL);
        if (again <= real && again >= real)
            return oracle_digits(number, size) <= oracle_digits(shortest, strlen(shortest));
    }
    return false;
}

bool oracle_numbers_are_short(const char *json, size_t size)
{
    bool string = false;
    for (size_t i = 0; i < size; i++) {
        if (string && json[i] == '\\')
            i++;
        else if (json[i] == '"')
            string = !string;
        else if (!string && (isdigit((unsigned char)json[i]) || json[i] == '-')) {
            size_t length = strspn(json + i, "0123456789+-.eE");
            if (!oracle_number_is_short(json + i, length))
                return false;
            i += length - 1;
        }
    }
    return true;
}

/* ---- budgets ---- */

static void oracle_judge_rate(struct sim *sim)
{
    const size_t room = sizeof(sim->request_times) / sizeof(sim->request_times[0]);
    int64_t *oldest_ms = &sim->request_times[sim->request_count % room];
    if (sim->request_count >= room && sim->net->now_ms - *oldest_ms < 1000)
        sim_fail(sim, "budgets: more than 20 requests in a second");
    *oldest_ms = sim->net->now_ms;
    sim->request_count++;
}

/* Tell whether an urgent property may make this update an early one: one in IntervalMs / 4. It need
 * not be in it: it may have gone out meanwhile, or be in the other half of what was refused. */
static bool oracle_is_urgent(struct sim *sim)
{
    bool any = false;
    for (size_t i = 0; i < sim->op_count && !any && sim->net->programs != NULL; i++)
        any = doc_covers("/q", sim->ops[i].path);
    bool may = any && sim->net->now_ms - sim->early_ms >= sim->net->options.thing.interval_ms / 4;
    if (may)
        sim->early_ms = sim->net->now_ms;
    return may;
}

static void oracle_judge_bucket(struct sim *sim)
{
    const struct thing_options *options = &sim->net->options.thing;
    double earned = (double)(sim->net->now_ms - sim->bucket_ms) / (double)options->interval_ms;
    sim->bucket = fmin(sim->bucket + earned, (double)options->burst);
    sim->bucket_ms = sim->net->now_ms;
    sim->bucket -= 1;
    if (sim->bucket >= -1e-6)
        return;
    if (oracle_is_urgent(sim)) {
        sim->bucket += 1;
        return;
    }
    if (sim->flushes == 0) {
        sim_fail(sim, "budgets: more updates than Burst and one per IntervalMs");
        return;
    }
    sim->flushes--;
    sim->bucket += 1;
}

/* ---- the document ---- */

static bool oracle_is_null_covered(const struct sim *sim, const char *path)
{
    for (size_t i = sim->op_count; i-- > 0;) {
        const struct sim_op *op = &sim->ops[i];
        if (!op->lost && doc_covers(op->path, path) &&
            !(op->kind == FLUX_SET && json_is_object(op->value)))
            return true;
    }
    return false;
}

/* Tell whether the newest reports make this of the path; durable: those of a commit. */
static bool oracle_is_newest(const struct sim *sim, const char *path, const json_t *leaf)
{
    if (sim->net->options.thing.durable)
        return oracle_was_newest(sim, path, leaf);
    return oracle_makes(sim->model, path, leaf);
}

bool oracle_makes(const json_t *model, const char *path, const json_t *leaf)
{
    const json_t *newest = doc_at(model, path);
    if (json_is_null(leaf))
        return doc_is_hollow(newest);
    if (json_is_object(leaf))
        return json_is_object(newest);
    return newest != NULL && doc_equal(newest, leaf, false);
}

static void oracle_judge_leaf(void *data, const char *path, const json_t *leaf)
{
    struct sim *sim = data;
    if (oracle_is_vague(sim, path))
        return;
    if (sim->net->quiet)
        sim_fail(sim, "all was equal and settled, and still an update is about %s", path);
    bool is_newest = oracle_is_newest(sim, path, leaf);
    char *text = json_dumps(leaf, JSON_ENCODE_ANY | JSON_COMPACT);
    if (json_is_null(leaf)) {
        /* durable: a cut may go while what was set below it waits for its commit */
        if (!is_newest && !doc_is_hollow(doc_at(sim->model, path)))
            sim_fail(sim, "sequential truth: an update removes %s, which the newest reports set",
                     path);
        else if (!oracle_is_null_covered(sim, path))
            sim_fail(sim, "foreign things stay: an update removes %s, which no report names", path);
    } else if (json_is_object(leaf)) {
        if (!is_newest)
            sim_fail(sim, "sequential truth: an update makes %s an object, no report does", path);
    } else if (!is_newest) {
        sim_fail(sim, "sequential truth: an update sets %s to %s, which is not the newest%s", path,
                 text, sim->net->options.thing.durable ? " stored value" : "");
    }
    free(text);
}

struct oracle_nulls {
    size_t count;
};

static void oracle_count_null(void *data, const char *path, const json_t *leaf)
{
    struct oracle_nulls *nulls = data;
    (void)path;
    if (json_is_null(leaf))
        nulls->count++;
}

static void oracle_judge_version(struct sim *sim, const json_t *request)
{
    if (json_is_integer(json_object_get(request, "version")))
        return;
    sim->versionless_updates++;
    struct oracle_nulls nulls = {0};
    doc_each_leaf(json_object_get(json_object_get(request, "state"), "reported"), oracle_count_null,
                  &nulls);
    if (sim->may_omit_version || (sim->conflicts >= 3 && nulls.count == 0))
        return;
    sim_fail(sim, "never backwards: an update carries no version");
}

static void oracle_judge_flight(struct sim *sim, const char *token)
{
    if (json_object_get(sim->tokens, token) != NULL)
        sim_fail(sim, "never backwards: the update %s is published a second time", token);
    json_object_set_new(sim->tokens, token, json_true());
    if (sim->flight_open && sim->flight_gets == 0)
        sim_fail(sim,
                 "one update in flight: the update sent at %.3f s is neither answered nor "
                 "settled by a get",
                 (double)sim->flight_at_ms / 1000);
    if (sim->flight_open && sim->net->now_ms - sim->flight_at_ms < 2000)
        sim_fail(sim, "one update in flight: the last one is %lld ms old and not answered",
                 (long long)(sim->net->now_ms - sim->flight_at_ms));
    (void)snprintf(sim->flight_token, sizeof(sim->flight_token), "%s", token);
    sim->flight_open = true;
    sim->flight_at_ms = sim->net->now_ms;
    sim->flight_gets = 0;
}

/* While the whole section is to go and an update without an answer may still arrive, one that says
 * nothing raises the version and with that makes the late one harmless. */
static bool oracle_replaces_all(const struct sim *sim)
{
    for (size_t i = 0; i < sim->waiting_count; i++) {
        if (*sim->ops[sim->waiting[i]].path == '\0')
            return true;
    }
    return false;
}

static void oracle_judge_state(struct sim *sim, const json_t *request)
{
    const json_t *state = json_object_get(request, "state");
    const json_t *reported = json_object_get(state, "reported");
    const json_t *desired = json_object_get(state, "desired");
    if ((reported != NULL && !json_is_object(reported)) ||
        json_object_size(state) != (size_t)(reported != NULL) + (size_t)(desired != NULL))
        sim_fail(sim, "an update is about more or less than `reported` and `desired`");
    else if (desired == NULL && json_object_size(reported) == 0 && !sim->net->careless &&
             !oracle_replaces_all(sim))
        sim_fail(sim, "an update says nothing");
    if (!sim->net->careless)
        doc_each_leaf(reported, oracle_judge_leaf, sim);
    oracle_drop_moments(sim);
    if (desired != NULL)
        oracle_judge_desired(sim, request);
}

static void oracle_judge_update(struct sim *sim, const char *payload, size_t size)
{
    sim->updates++;
    json_t *request = json_loadb(payload, size, 0, NULL);
    const char *token = json_string_value(json_object_get(request, "clientToken"));
    sim_trace(sim, "engine sends %.*s", (int)size, payload);
    if (token == NULL || strlen(token) > 64) {
        sim_fail(sim, "an update without a clientToken of 64 bytes at most: %.200s", payload);
    } else {
        oracle_judge_flight(sim, token);
        oracle_judge_state(sim, request);
        oracle_judge_version(sim, request);
        oracle_judge_bucket(sim);
    }
    if (!oracle_numbers_are_short(payload, size))
        sim_fail(sim, "numbers stay short: %.300s", payload);
    json_decref(sim->last_update);
    sim->last_update = request;
    free(sim->last_text);
    sim->last_text = strndup(payload, size);
}

static void oracle_judge_get(struct sim *sim, const char *payload, size_t size)
{
    sim_trace(sim, "engine asks for the shadow %s", sim->shadow_name);
    json_t *request = json_loadb(payload, size, 0, NULL);
    const char *token = json_string_value(json_object_get(request, "clientToken"));
    (void)snprintf(sim->get_token, sizeof(sim->get_token), "%s", token != NULL ? token : "");
    json_decref(request);
    sim->get_at_ms = sim->net->now_ms;
    sim->get_outdated = false;
    sim->gets++;
}

void oracle_publish(struct sim *sim, const char *topic, const char *payload, size_t size)
{
    oracle_judge_rate(sim);
    const char *what = topic + strlen(sim->prefix);
    if (strcmp(what, "update") == 0) {
        oracle_judge_update(sim, payload, size);
    } else if (strcmp(what, "get") == 0) {
        oracle_judge_get(sim, payload, size);
    } else {
        sim_fail(sim, "a publish to %s", topic);
    }
}

/* ---- what the engine hears ---- */

/* Only the answer to the last get counts: those of gets that were given up may tell of long ago. */
static void oracle_heard_get(struct sim *sim, const char *token, bool accepted, int code)
{
    if (token == NULL || strcmp(token, sim->get_token) != 0)
        return;
    sim->get_token[0] = '\0';
    sim->flight_gets++;
    if (!accepted && code == 404)
        oracle_phantom_gone(sim);
    sim->may_omit_version = !accepted && (code == 404 || sim->may_omit_version);
    sim->heard_gone = sim->heard_gone || code == 404;
}

static void oracle_heard_update(struct sim *sim, const char *token, bool accepted, int code)
{
    if (token == NULL || json_object_get(sim->tokens, token) == NULL)
        return;
    if (strcmp(token, sim->flight_token) == 0)
        sim->flight_open = false;
    if (accepted) {
        sim->conflicts = 0;
        sim->may_omit_version = false;
    } else if (code == 409) {
        sim->conflicts++;
    }
}

/* How far the engine certainly knows the shadow: from a get on that it had not given up, message by
 * message; not any more after garbage in the place of one. */
static void oracle_heard_version(struct sim *sim, const json_t *message, const char *answer,
                                 const char *token)
{
    int64_t version = (int64_t)json_number_value(json_object_get(message, "version"));
    bool is_get = strcmp(answer, "get/accepted") == 0;
    bool is_awaited = is_get && token != NULL && strcmp(token, sim->get_token) == 0 &&
                      sim->net->now_ms - sim->get_at_ms < 2000 && !sim->get_outdated;
    oracle_phantom_heard(sim, answer, version, is_awaited);
    bool follows = strcmp(answer, "update/accepted") == 0 && sim->heard_version >= 0 &&
                   version == sim->heard_version + 1;
    if (follows || is_awaited)
        sim->heard_version = version;
    else if (is_get || strcmp(answer, "delete/accepted") == 0)
        sim->heard_version = -1;
    sim->get_outdated = sim->get_outdated || strcmp(answer, "delete/accepted") == 0;
}

void oracle_heard(struct sim *sim, const char *topic, const char *payload, size_t size)
{
    sim_trace(sim, "cloud -> engine %s %.*s", topic, (int)(size < 400 ? size : 400), payload);
    json_t *message = json_loadb(payload, size, JSON_DECODE_INT_AS_REAL, NULL);
    const char *token = json_string_value(json_object_get(message, "clientToken"));
    int code = (int)json_number_value(json_object_get(message, "code"));
    const char *answer = topic + strlen(sim->prefix);
    oracle_heard_version(sim, message, answer, token);
    if (token != NULL && strcmp(answer, "update/delta") != 0)
        oracle_answered(sim, token);
    bool is_document = json_is_object(json_object_get(message, "state")) &&
                       json_is_number(json_object_get(message, "version"));
    if (!is_document && strcmp(answer, "get/accepted") == 0) {
        oracle_answered_unreadably(sim);
        sim->get_outdated = true; /* a copy that can be read comes too late */
    }
    if (strncmp(answer, "get/", 4) == 0)
        oracle_heard_get(sim, token, strcmp(answer, "get/accepted") == 0, code);
    else if (strncmp(answer, "update/", 7) == 0 && strcmp(answer + 7, "delta") != 0)
        oracle_heard_update(sim, token, strcmp(answer, "update/accepted") == 0, code);
    else if (strcmp(answer, "delete/accepted") == 0)
        sim->may_omit_version = sim->heard_gone = true;
    json_decref(message);
}

void oracle_link_down(struct sim *sim)
{
    sim->flight_open = false;
    sim->may_omit_version = false;
    sim->heard_version = -1;
}
