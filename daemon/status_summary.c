#include "daemon/status_summary.h"

#include "daemon/mqtt/mqtt_link.h"
#include <stdio.h>
#include <string.h>

/* How long a link that is up may take until answers can be heard. */
#define HEARING_MS 15000
/* Values may wait so long without anybody being asked to look, or so many IntervalMs. */
#define WAITING_MS        60000
#define WAITING_INTERVALS 3
/* A shadow that is nearly full, and a certificate that is nearly over. */
#define FULL_PERCENT     90
#define RENEWAL_DAYS     30
#define SECONDS_OF_A_DAY INT64_C(86400)

static void note(struct status_finding *finding, const struct shadow_status *status)
{
    if (finding->count++ > 0)
        return;
    finding->thing = status->thing;
    finding->shadow = status->name;
    finding->code = status->last_code;
}

/* The worst one is the one to name. */
static void note_worst(struct status_finding *finding, const struct shadow_status *status,
                       size_t number, int64_t for_ms)
{
    const bool is_worst =
        for_ms > finding->for_ms || (for_ms == finding->for_ms && number > finding->number);
    if (finding->count++ > 0 && !is_worst)
        return;
    finding->thing = status->thing;
    finding->shadow = status->name;
    finding->number = number;
    finding->for_ms = for_ms;
}

static void add_blocked(struct status_facts *facts, const struct shadow_status *status)
{
    const bool is_denied = status->last_code == 401 || status->last_code == 403;
    note(is_denied ? &facts->denied : &facts->slowed, status);
}

static int64_t patience_ms(const struct status_facts *facts)
{
    const int64_t intervals_ms = WAITING_INTERVALS * facts->interval_ms;
    return intervals_ms > WAITING_MS ? intervals_ms : WAITING_MS;
}

void status_facts_add(struct status_facts *facts, const struct shadow_status *status,
                      int64_t now_ms)
{
    if (status->quarantined_until_ms > now_ms)
        note(&facts->quarantined, status);
    else if (status->blocked_until_ms > now_ms && status->last_code != 0)
        add_blocked(facts, status);
    if (status->view == SHADOW_VIEW_UNREADABLE)
        note(&facts->unreadable, status);
    if (status->refused > 0) {
        note(&facts->refused, status);
        facts->refused.number += status->refused;
    }
    const int64_t waiting_ms =
        status->oldest_pending_ms < 0 ? -1 : now_ms - status->oldest_pending_ms;
    if (waiting_ms > patience_ms(facts))
        note_worst(&facts->waiting, status, status->pending, waiting_ms);
    const size_t percent = shadow_fill_percent(status);
    if (percent >= FULL_PERCENT)
        note_worst(&facts->full, status, percent, 0);
}

/* --- words --- */

struct shadow_words {
    char text[FLUX_THING_NAME_MAX + FLUX_SHADOW_NAME_MAX + 64];
};

/* Whose shadow: "the shadow", "the shadow config of lamp-18", and how many more. */
static struct shadow_words name_of(const struct status_facts *facts,
                                   const struct status_finding *finding)
{
    struct shadow_words words;
    char more[32] = "";
    const bool is_own = strcmp(finding->thing, facts->own_thing) == 0;
    if (finding->count > 1)
        (void)snprintf(more, sizeof(more), " and %zu more", finding->count - 1);
    (void)snprintf(words.text, sizeof(words.text), "the shadow%s%s%s%s%s",
                   finding->shadow[0] ? " " : "", finding->shadow, is_own ? "" : " of ",
                   is_own ? "" : finding->thing, more);
    return words;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* --- one judgement each; they return whether it is the thing to do --- */

static bool judge_stop(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->is_stopping)
        (void)snprintf(ret_text, size,
                       "fluxawsd is stopping; systemctl start fluxawsd brings it back");
    return facts->is_stopping;
}

static bool judge_pause(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->is_paused)
        (void)snprintf(ret_text, size, "paused by an operator: fluxctl resume connects again");
    return facts->is_paused;
}

static bool judge_storage(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (!facts->storage_trouble)
        return false;
    (void)snprintf(ret_text, size, "mend the disk: %s", facts->storage_trouble);
    return true;
}

static bool judge_name(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->awaits_name)
        (void)snprintf(ret_text, size,
                       "put certificate and key in place: [Thing] NameFrom=certificate-cn takes "
                       "this device's name from it");
    return facts->awaits_name;
}

static bool judge_credentials(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->link != LINK_WAITING_CREDENTIALS)
        return false;
    (void)snprintf(ret_text, size, "%s: %s",
                   facts->credentials_missing ? "put certificate and key in place"
                                              : "mend certificate or key",
                   facts->link_reason);
    return true;
}

struct place_words {
    char text[600];
};

/* Where the gravest mistake is, and how many more there are: " at FILE:LINE and 2 more". */
static struct place_words place_of(const struct status_facts *facts)
{
    struct place_words words = {""};
    char more[32] = "";
    if (facts->config_mistakes > 1)
        (void)snprintf(more, sizeof(more), " and %zu more", facts->config_mistakes - 1);
    if (facts->config_problem[0])
        (void)snprintf(words.text, sizeof(words.text), " at %s%s", facts->config_problem, more);
    else if (facts->config_mistakes > 1)
        (void)snprintf(words.text, sizeof(words.text), " (%zu mistakes)", facts->config_mistakes);
    return words;
}

static bool judge_rejected(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->config_rejected)
        (void)snprintf(ret_text, size,
                       "mend the configuration%s: the last reload was refused; fluxawsd "
                       "--check-config says why",
                       place_of(facts).text);
    return facts->config_rejected;
}

/* What to do about an attempt that failed, or a link that was lost. */
static const char *advice_for(const struct status_facts *facts)
{
    switch (facts->link_failure) {
    case MQTT_LINK_FAILED_NAME:
        return "check the network, then [Connection] Endpoint";
    case MQTT_LINK_FAILED_TCP:
    case MQTT_LINK_FAILED_TIMEOUT:
        return "check the network";
    case MQTT_LINK_FAILED_SERVER_CA:
        return "check [Connection] CaFile and Endpoint";
    case MQTT_LINK_FAILED_SERVER_NAME:
        return "check [Connection] Endpoint";
    case MQTT_LINK_FAILED_SERVER_TIME:
        return "set the clock";
    case MQTT_LINK_FAILED_REFUSED_US:
        return "activate the certificate in AWS IoT";
    case MQTT_LINK_FAILED_PROXY:
        return "check [Connection] Proxy and the network up to it";
    case MQTT_LINK_FAILED_PROXY_LOGIN:
        return "check the user and password in [Connection] Proxy";
    case MQTT_LINK_FAILED_PROXY_REFUSED:
        return "have the proxy allow [Connection] Endpoint";
    case MQTT_LINK_FAILED_PROXY_BEYOND:
        return "check [Connection] Endpoint, then the network behind the proxy";
    case 0x88: /* server unavailable */
    case 0x89: /* server busy */
    case 0x97: /* quota exceeded */
        return "wait";
    case 0x8e: /* session taken over */
        return "look for a second device with the same ClientId";
    default:
        break;
    }
    if (facts->link_failure >= 0x80 && !facts->link_was_up)
        return "check the certificate's policy and [Connection] ClientId";
    /* AWS IoT closes without a word on who may not connect. */
    return facts->link_was_up ? "wait, and see fluxctl history if it lasts"
                              : "if it lasts, check the certificate's policy";
}

static bool judge_link(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->link == LINK_UP)
        return false;
    if (facts->link == LINK_WAITING_NETWORK)
        (void)snprintf(ret_text, size, "bring up the network: this device has no route to the %s",
                       facts->has_proxy ? "proxy" : "endpoint");
    else if (facts->link_reason[0])
        (void)snprintf(ret_text, size, "%s: %s", advice_for(facts), facts->link_reason);
    else
        (void)snprintf(ret_text, size, "wait: %s",
                       facts->link == LINK_CONNECTING ? "connecting" : "about to connect");
    return true;
}

static bool judge_hearing(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->shadows == 0 || facts->shadows_unheard < facts->shadows ||
        facts->link_for_ms < HEARING_MS)
        return false;
    (void)snprintf(ret_text, size,
                   "allow iot:Subscribe and iot:Receive for %s in the certificate's policy, or "
                   "wait if it does: no answer can be heard",
                   facts->own_thing);
    return true;
}

static bool judge_quarantine(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->quarantined.count == 0)
        return false;
    (void)snprintf(ret_text, size,
                   "allow iot:Publish for %s in the certificate's policy: in quarantine, as its "
                   "requests end the connection",
                   name_of(facts, &facts->quarantined).text);
    return true;
}

static bool judge_denied(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->denied.count == 0)
        return false;
    (void)snprintf(ret_text, size,
                   "check the certificate's policy: AWS answers %d (not allowed) for %s",
                   facts->denied.code, name_of(facts, &facts->denied).text);
    return true;
}

static bool judge_unreadable(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->unreadable.count == 0)
        return false;
    (void)snprintf(ret_text, size, "mend %s in the cloud: its document cannot be read",
                   name_of(facts, &facts->unreadable).text);
    return true;
}

static bool judge_refused(const struct status_facts *facts, char *ret_text, size_t size)
{
    const struct status_finding *refused = &facts->refused;
    if (refused->count == 0)
        return false;
    (void)snprintf(ret_text, size, "see fluxctl keys: %zu value%s refused in %s", refused->number,
                   refused->number == 1 ? " was" : "s were", name_of(facts, refused).text);
    return true;
}

static bool judge_slowed(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->slowed.count == 0)
        return false;
    (void)snprintf(ret_text, size, "wait: AWS answers %d for %s, which is tried again later",
                   facts->slowed.code, name_of(facts, &facts->slowed).text);
    return true;
}

static bool judge_budget(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->is_spread)
        (void)snprintf(ret_text, size,
                       "find the busy program with fluxctl keys, or raise [Updates] "
                       "DailyOperations: updates are slowed down");
    return facts->is_spread;
}

static bool judge_waiting(const struct status_facts *facts, char *ret_text, size_t size)
{
    const struct status_finding *waiting = &facts->waiting;
    if (waiting->count == 0 || facts->link_for_ms < patience_ms(facts))
        return false;
    (void)snprintf(ret_text, size,
                   "see fluxctl keys: %zu value%s wait%s in %s, the oldest for %lld s",
                   waiting->number, plural(waiting->number), waiting->number == 1 ? "s" : "",
                   name_of(facts, waiting).text, (long long)(waiting->for_ms / 1000));
    return true;
}

static bool judge_room(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->full.count == 0)
        return false;
    (void)snprintf(ret_text, size, "make room: %zu %% of [Updates] MaxDocumentBytes are used in %s",
                   facts->full.number, name_of(facts, &facts->full).text);
    return true;
}

static bool judge_certificate(const struct status_facts *facts, char *ret_text, size_t size)
{
    const int64_t days = facts->certificate_ends_in_sec / SECONDS_OF_A_DAY;
    if (days >= RENEWAL_DAYS)
        return false;
    if (facts->certificate_ends_in_sec <= 0)
        (void)snprintf(ret_text, size, "renew the certificate: it has expired");
    else
        (void)snprintf(ret_text, size, "renew the certificate: it expires in %lld day%s",
                       (long long)days, plural((size_t)days));
    return true;
}

static bool judge_config(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (facts->config_degraded)
        (void)snprintf(ret_text, size,
                       "mend the configuration%s: it is degraded; fluxawsd --check-config says "
                       "why",
                       place_of(facts).text);
    return facts->config_degraded;
}

static bool judge_restart(const struct status_facts *facts, char *ret_text, size_t size)
{
    if (!facts->needs_restart)
        return false;
    (void)snprintf(ret_text, size, "systemctl restart fluxawsd: %s has changed and needs a restart",
                   facts->needs_restart);
    return true;
}

void status_summarize(const struct status_facts *facts, char *ret_text, size_t size)
{
    /* What explains the others comes first. */
    static bool (*const judges[])(const struct status_facts *facts, char *ret_text, size_t size) = {
        judge_stop,       judge_pause,       judge_storage, judge_name,       judge_credentials,
        judge_rejected,   judge_link,        judge_hearing, judge_quarantine, judge_denied,
        judge_unreadable, judge_refused,     judge_slowed,  judge_budget,     judge_waiting,
        judge_room,       judge_certificate, judge_config,  judge_restart,
    };
    for (size_t i = 0; i < sizeof(judges) / sizeof(*judges); i++) {
        if (judges[i](facts, ret_text, size))
            return;
    }
    (void)snprintf(ret_text, size, STATUS_HEALTHY);
}
