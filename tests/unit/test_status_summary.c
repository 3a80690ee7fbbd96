/* The first line of the status: "healthy", or the one thing to do. */
#include "daemon/mqtt/mqtt_link.h"
#include "daemon/status_summary.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define NOW_MS INT64_C(10000000)

/* A daemon that lacks nothing. */
static struct status_facts good(void)
{
    return (struct status_facts){
        .link = LINK_UP,
        .link_for_ms = 3600000,
        .link_reason = "",
        .certificate_ends_in_sec = INT64_C(86400) * 365,
        .config_problem = "",
        .own_thing = "lamp-17",
        .interval_ms = 10000,
        .shadows = 1,
    };
}

static struct shadow_status good_shadow(const char *name)
{
    return (struct shadow_status){
        .thing = "lamp-17",
        .name = name,
        .view = SHADOW_VIEW_PROVEN,
        .version = 7,
        .properties = 3,
        .document_bytes = 100,
        .document_bytes_max = 8192,
        .oldest_pending_ms = -1,
        .last_accepted_version = 7,
        .heard = true,
    };
}

static void expect(const struct status_facts *facts, const char *expected)
{
    char text[STATUS_SUMMARY_MAX];
    status_summarize(facts, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void test_nothing_to_do_is_healthy(void **state)
{
    (void)state;
    struct status_facts facts = good();
    struct shadow_status shadow = good_shadow("");
    shadow.pending = 40; /* just reported: on their way */
    shadow.oldest_pending_ms = NOW_MS - 20000;
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "healthy");
}

/* Every single trouble has its own line, and the first word is something to do. */
static void test_each_trouble_has_its_line(void **state)
{
    (void)state;
    struct status_facts facts = good();
    facts.is_stopping = true;
    expect(&facts, "fluxawsd is stopping; systemctl start fluxawsd brings it back");
    facts = good();
    facts.is_paused = true;
    expect(&facts, "paused by an operator: fluxctl resume connects again");
    facts = good();
    facts.storage_trouble = "/x/state-1.db: No space left on device";
    expect(&facts, "mend the disk: /x/state-1.db: No space left on device");
    facts = good();
    facts.awaits_name = true;
    expect(&facts, "put certificate and key in place: [Thing] NameFrom=certificate-cn takes this "
                   "device's name from it");
    facts = good();
    facts.config_rejected = true;
    expect(&facts, "mend the configuration: the last reload was refused; fluxawsd --check-config "
                   "says why");
    facts = good();
    facts.config_degraded = true;
    expect(&facts, "mend the configuration: it is degraded; fluxawsd --check-config says why");
    facts.config_problem = "/etc/fluxaws/fluxawsd.conf:7";
    expect(&facts, "mend the configuration at /etc/fluxaws/fluxawsd.conf:7: it is degraded; "
                   "fluxawsd --check-config says why");
    facts.config_mistakes = 1;
    expect(&facts, "mend the configuration at /etc/fluxaws/fluxawsd.conf:7: it is degraded; "
                   "fluxawsd --check-config says why");
    facts.config_mistakes = 3;
    expect(&facts, "mend the configuration at /etc/fluxaws/fluxawsd.conf:7 and 2 more: it is "
                   "degraded; fluxawsd --check-config says why");
    facts.config_problem = "";
    expect(&facts, "mend the configuration (3 mistakes): it is degraded; fluxawsd --check-config "
                   "says why");
    facts = good();
    facts.needs_restart = "[Socket] Path";
    expect(&facts, "systemctl restart fluxawsd: [Socket] Path has changed and needs a restart");
    facts = good();
    facts.is_spread = true;
    expect(&facts, "find the busy program with fluxctl keys, or raise [Updates] DailyOperations: "
                   "updates are slowed down");
    facts = good();
    facts.shadows_unheard = 1;
    expect(&facts,
           "allow iot:Subscribe and iot:Receive for lamp-17 in the certificate's policy, or wait "
           "if it does: no answer can be heard");
    facts.link_for_ms = 14000; /* it has just begun */
    expect(&facts, "healthy");
}

static void test_a_certificate_is_renewed_in_time(void **state)
{
    (void)state;
    static const struct {
        int64_t ends_in_sec;
        const char *expected;
    } cases[] = {
        {INT64_MAX, "healthy"},
        {INT64_C(86400) * 30, "healthy"},
        {INT64_C(86400) * 30 - 1, "renew the certificate: it expires in 29 days"},
        {86400, "renew the certificate: it expires in 1 day"},
        {1, "renew the certificate: it expires in 0 days"},
        {0, "renew the certificate: it has expired"},
        {-86400, "renew the certificate: it has expired"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct status_facts facts = good();
        facts.certificate_ends_in_sec = cases[i].ends_in_sec;
        expect(&facts, cases[i].expected);
    }
}

static void test_each_failure_of_the_link_has_its_advice(void **state)
{
    (void)state;
    static const struct {
        int failure;
        bool was_up;
        const char *expected;
    } cases[] = {
        {MQTT_LINK_FAILED_NAME, false, "check the network, then [Connection] Endpoint: R"},
        {MQTT_LINK_FAILED_TCP, false, "check the network: R"},
        {MQTT_LINK_FAILED_TIMEOUT, false, "check the network: R"},
        {MQTT_LINK_FAILED_SERVER_CA, false, "check [Connection] CaFile and Endpoint: R"},
        {MQTT_LINK_FAILED_SERVER_NAME, false, "check [Connection] Endpoint: R"},
        {MQTT_LINK_FAILED_SERVER_TIME, false, "set the clock: R"},
        {MQTT_LINK_FAILED_REFUSED_US, false, "activate the certificate in AWS IoT: R"},
        {MQTT_LINK_FAILED_PROXY, false, "check [Connection] Proxy and the network up to it: R"},
        {MQTT_LINK_FAILED_PROXY_LOGIN, false,
         "check the user and password in [Connection] Proxy: R"},
        {MQTT_LINK_FAILED_PROXY_REFUSED, false, "have the proxy allow [Connection] Endpoint: R"},
        {MQTT_LINK_FAILED_PROXY_BEYOND, false,
         "check [Connection] Endpoint, then the network behind the proxy: R"},
        {MQTT_LINK_FAILED, false, "if it lasts, check the certificate's policy: R"},
        {MQTT_LINK_FAILED, true, "wait, and see fluxctl history if it lasts: R"},
        {0x87, false, "check the certificate's policy and [Connection] ClientId: R"},
        {0x87, true, "wait, and see fluxctl history if it lasts: R"},
        {0x88, false, "wait: R"},
        {0x89, true, "wait: R"},
        {0x97, false, "wait: R"},
        {0x8e, true, "look for a second device with the same ClientId: R"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct status_facts facts = good();
        facts.link = LINK_BACKOFF;
        facts.link_reason = "R";
        facts.link_failure = cases[i].failure;
        facts.link_was_up = cases[i].was_up;
        expect(&facts, cases[i].expected);
        /* Dialling again is no news. */
        facts.link = LINK_CONNECTING;
        expect(&facts, cases[i].expected);
        /* Up again, it is over. */
        facts.link = LINK_UP;
        expect(&facts, "healthy");
    }
}

static void test_no_state_of_the_link_but_up_is_healthy(void **state)
{
    (void)state;
    static const char *const expected[LINK_STATE_COUNT] = {
        [LINK_OFF] = "wait: about to connect",
        [LINK_WAITING_NETWORK] = "bring up the network: this device has no route to the endpoint",
        [LINK_WAITING_CREDENTIALS] = "put certificate and key in place: ",
        [LINK_BACKOFF] = "wait: about to connect",
        [LINK_CONNECTING] = "wait: connecting",
        [LINK_UP] = "healthy",
        [LINK_STOPPING] = "wait: about to connect",
        [LINK_RESTARTING] = "wait: about to connect",
        [LINK_PAUSING] = "wait: about to connect",
        [LINK_PAUSED] = "wait: about to connect",
    };
    for (unsigned i = 0; i < LINK_STATE_COUNT; i++) {
        struct status_facts facts = good();
        facts.link = (enum link_state)i;
        facts.credentials_missing = true;
        assert_non_null(expected[i]);
        expect(&facts, expected[i]);
    }
}

static void test_credentials_are_named_with_what_is_wrong(void **state)
{
    (void)state;
    struct status_facts facts = good();
    facts.link = LINK_WAITING_CREDENTIALS;
    facts.link_reason = "/c/certificate.pem does not exist";
    facts.credentials_missing = true;
    expect(&facts, "put certificate and key in place: /c/certificate.pem does not exist");
    facts.credentials_missing = false;
    facts.link_reason = "certificate and key do not belong together";
    expect(&facts, "mend certificate or key: certificate and key do not belong together");
}

static void test_each_trouble_of_a_shadow_names_it(void **state)
{
    (void)state;
    struct status_facts facts = good();
    struct shadow_status shadow = good_shadow("config");
    shadow.quarantined_until_ms = NOW_MS + 1;
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "allow iot:Publish for the shadow config in the certificate's policy: in "
                   "quarantine, as its requests end the connection");
    facts = good();
    shadow = good_shadow("");
    shadow.blocked_until_ms = NOW_MS + 1;
    shadow.last_code = 403;
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "check the certificate's policy: AWS answers 403 (not allowed) for the shadow");
    facts = good();
    shadow.last_code = 429;
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "wait: AWS answers 429 for the shadow, which is tried again later");
    facts = good();
    shadow = good_shadow("a");
    shadow.thing = "lamp-18";
    shadow.view = SHADOW_VIEW_UNREADABLE;
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "mend the shadow a of lamp-18 in the cloud: its document cannot be read");
    facts = good();
    shadow = good_shadow("");
    shadow.document_bytes = 7373; /* 90 % */
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "make room: 90 % of [Updates] MaxDocumentBytes are used in the shadow");
    facts = good();
    shadow.document_bytes = 7372; /* not quite */
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "healthy");
}

static void test_refused_values_are_counted_over_all_shadows(void **state)
{
    (void)state;
    struct status_facts facts = good();
    struct shadow_status shadow = good_shadow("");
    shadow.refused = 1;
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "see fluxctl keys: 1 value was refused in the shadow");
    struct shadow_status other = good_shadow("b");
    other.refused = 4;
    status_facts_add(&facts, &other, NOW_MS);
    expect(&facts, "see fluxctl keys: 5 values were refused in the shadow and 1 more");
}

static void test_values_that_wait_for_too_long_are_told_of(void **state)
{
    (void)state;
    struct status_facts facts = good();
    struct shadow_status shadow = good_shadow("");
    shadow.pending = 1;
    shadow.oldest_pending_ms = NOW_MS - 60000;
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "healthy");
    shadow.oldest_pending_ms = NOW_MS - 61000;
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "see fluxctl keys: 1 value waits in the shadow, the oldest for 61 s");
    struct shadow_status worse = good_shadow("worse");
    worse.pending = 9;
    worse.oldest_pending_ms = NOW_MS - 200000;
    status_facts_add(&facts, &worse, NOW_MS);
    expect(&facts, "see fluxctl keys: 9 values wait in the shadow worse and 1 more, the oldest for "
                   "200 s");
    facts.link_for_ms = 5000; /* it has only just come up: they are on their way */
    expect(&facts, "healthy");

    facts = good();
    facts.interval_ms = 60000; /* who asked for few updates waits longer */
    status_facts_add(&facts, &shadow, NOW_MS);
    expect(&facts, "healthy");
}

/* What explains the rest comes first. */
static void test_the_cause_comes_before_its_effects(void **state)
{
    (void)state;
    struct status_facts facts = good();
    struct shadow_status shadow = good_shadow("");
    shadow.refused = 1;
    status_facts_add(&facts, &shadow, NOW_MS);
    facts.config_degraded = true;
    expect(&facts, "see fluxctl keys: 1 value was refused in the shadow");
    facts.link = LINK_WAITING_NETWORK;
    expect(&facts, "bring up the network: this device has no route to the endpoint");
    facts.has_proxy = true;
    expect(&facts, "bring up the network: this device has no route to the proxy");
    facts.storage_trouble = "T";
    expect(&facts, "mend the disk: T");
    facts.is_paused = true;
    expect(&facts, "paused by an operator: fluxctl resume connects again");
    facts.is_stopping = true;
    expect(&facts, "fluxawsd is stopping; systemctl start fluxawsd brings it back");
}

static void test_a_short_buffer_cuts_the_line(void **state)
{
    (void)state;
    char text[8];
    struct status_facts facts = good();
    facts.is_paused = true;
    status_summarize(&facts, text, sizeof(text));
    assert_string_equal(text, "paused ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_do_is_healthy),
        cmocka_unit_test(test_each_trouble_has_its_line),
        cmocka_unit_test(test_a_certificate_is_renewed_in_time),
        cmocka_unit_test(test_each_failure_of_the_link_has_its_advice),
        cmocka_unit_test(test_no_state_of_the_link_but_up_is_healthy),
        cmocka_unit_test(test_credentials_are_named_with_what_is_wrong),
        cmocka_unit_test(test_each_trouble_of_a_shadow_names_it),
        cmocka_unit_test(test_refused_values_are_counted_over_all_shadows),
        cmocka_unit_test(test_values_that_wait_for_too_long_are_told_of),
        cmocka_unit_test(test_the_cause_comes_before_its_effects),
        cmocka_unit_test(test_a_short_buffer_cuts_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
