/* The mosquitto plugin that makes a broker look like AWS IoT: it lets in who has a certificate,
 * applies the policy, and answers shadow requests in process. All that decides is in account.c and
 * policy.c. */
#include <errno.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sandbox/account.h"
#include "tests/sandbox/archive_file.h"
#include "tests/sandbox/control.h"
#include "tests/sandbox/identity.h"
#include "tests/sandbox/packet_watch.h"

#define PLUGIN_EXPORT   __attribute__((visibility("default")))
#define CONTROL_REQUEST "$sandbox/request/"
#define CONTROL_ANSWER  "$sandbox/answer/"

struct plugin {
    mosquitto_plugin_id_t *id;
    struct account account;
    char *operator_name;
    char *archive_path; /* NULL: shadows are forgotten when the broker ends */
    int64_t now_ms;
};

/* Unix time that never goes down. */
static int64_t plugin_now(struct plugin *plugin)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (now_ms > plugin->now_ms)
        plugin->now_ms = now_ms;
    return plugin->now_ms;
}

static struct account_peer peer_of(const struct mosquitto *client)
{
    const char *identity = mosquitto_client_username(client);
    const char *client_id = mosquitto_client_id(client);
    return (struct account_peer){identity ? identity : "", client_id ? client_id : ""};
}

/* Hand what is due to the broker, which delivers it before it waits again. */
static void send_due(struct plugin *plugin)
{
    struct shadow_service_message message;
    while (account_next(&plugin->account, plugin_now(plugin), &message)) {
        int rc = mosquitto_broker_publish_copy(NULL, message.topic, (int)message.size,
                                               message.payload, 1, false, NULL);
        if (rc != MOSQ_ERR_SUCCESS)
            mosquitto_log_printf(MOSQ_LOG_ERR, "sandbox: cannot publish to %s: %s", message.topic,
                                 mosquitto_strerror(rc));
        shadow_service_message_clear(&message);
    }
}

/* A shadow that was answered for is on the disk: it survives the end of the broker. */
static void save_if_dirty(struct plugin *plugin)
{
    if (!plugin->account.is_dirty || !plugin->archive_path)
        return;
    int r = archive_file_write(plugin->archive_path, plugin->account.service);
    if (r < 0)
        mosquitto_log_printf(MOSQ_LOG_ERR, "sandbox: cannot write %s: %s", plugin->archive_path,
                             strerror(-r));
    plugin->account.is_dirty = false;
}

static int on_connect(int event, void *event_data, void *user_data)
{
    (void)event;
    struct plugin *plugin = user_data;
    struct mosquitto_evt_basic_auth *connect = event_data;
    char *identity = identity_new(connect->client);
    struct account_peer peer = peer_of(connect->client);
    peer.identity = identity ? identity : "";
    enum policy_verdict verdict = account_connect(&plugin->account, &peer, plugin_now(plugin));
    if (verdict == POLICY_ALLOW &&
        mosquitto_set_username(connect->client, peer.identity) != MOSQ_ERR_SUCCESS)
        verdict = POLICY_REFUSE;
    if (verdict != POLICY_ALLOW)
        mosquitto_log_printf(MOSQ_LOG_NOTICE, "sandbox: '%s' may not connect with client id '%s'",
                             identity ? identity : "(no certificate)", peer.client_id);
    free(identity);
    return verdict == POLICY_ALLOW ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
}

static int on_disconnect(int event, void *event_data, void *user_data)
{
    (void)event;
    struct plugin *plugin = user_data;
    const struct mosquitto_evt_disconnect *disconnect = event_data;
    const struct account_peer peer = peer_of(disconnect->client);
    account_disconnect(&plugin->account, &peer);
    return MOSQ_ERR_SUCCESS;
}

/* What the broker makes of a verdict: an error that is not "denied" closes the connection. */
static int broker_result(enum policy_verdict verdict)
{
    switch (verdict) {
    case POLICY_ALLOW:
        return MOSQ_ERR_SUCCESS;
    case POLICY_DISCARD:
    case POLICY_REFUSE:
        return MOSQ_ERR_ACL_DENIED;
    case POLICY_BAD_QOS:
        return MOSQ_ERR_QOS_NOT_SUPPORTED;
    case POLICY_DISCONNECT:
        break;
    }
    return MOSQ_ERR_AUTH;
}

static int judge_publish(struct plugin *plugin, const struct mosquitto_evt_acl_check *check)
{
    const struct account_peer peer = peer_of(check->client);
    const struct limits_publish publish = {.topic = check->topic,
                                           .size = check->payloadlen,
                                           .qos = check->qos,
                                           .retain = check->retain};
    enum policy_verdict verdict =
        account_publish(&plugin->account, &peer, &publish, check->payload);
    if (verdict != POLICY_ALLOW)
        mosquitto_log_printf(MOSQ_LOG_NOTICE,
                             "sandbox: '%s' may not publish %u bytes to %s (QoS %d, retain %d), by "
                             "policy, limit or planned fault",
                             peer.identity, check->payloadlen, check->topic, check->qos,
                             check->retain);
    return broker_result(verdict);
}

static int judge_subscription(struct plugin *plugin, const struct mosquitto_evt_acl_check *check)
{
    const struct account_peer peer = peer_of(check->client);
    int count = mosquitto_client_sub_count(check->client);
    const struct limits_filter filter = {.filter = check->topic,
                                         .qos = check->qos,
                                         .count = count > 0 ? (unsigned)count : 0,
                                         .packet = packet_watch_serial()};
    enum policy_verdict verdict = account_subscribe(&plugin->account, &peer, &filter);
    if (verdict != POLICY_ALLOW)
        mosquitto_log_printf(
            MOSQ_LOG_NOTICE,
            "sandbox: '%s' may not subscribe to %s (it has %d), by policy, limit or "
            "planned fault",
            peer.identity, check->topic, count);
    return broker_result(verdict);
}

static int judge_delivery(struct plugin *plugin, const struct mosquitto_evt_acl_check *check)
{
    const struct account_peer peer = peer_of(check->client);
    return broker_result(account_deliver(&plugin->account, &peer, check->topic, check->payloadlen,
                                         plugin_now(plugin)));
}

static int on_acl_check(int event, void *event_data, void *user_data)
{
    (void)event;
    const struct mosquitto_evt_acl_check *check = event_data;
    if (check->access == MOSQ_ACL_WRITE)
        return judge_publish(user_data, check);
    if (check->access == MOSQ_ACL_SUBSCRIBE)
        return judge_subscription(user_data, check);
    return check->access == MOSQ_ACL_READ ? judge_delivery(user_data, check) : MOSQ_ERR_SUCCESS;
}

/* The operator asks: answer that client alone, on the topic that ends as its request's did. */
static void answer_operator(struct plugin *plugin, const struct mosquitto_evt_message *message)
{
    struct cloud_text answer;
    char topic[256];
    int r = control_handle(&plugin->account, message->payload, message->payloadlen,
                           plugin_now(plugin), &answer);
    if (r < 0) {
        mosquitto_log_printf(MOSQ_LOG_ERR, "sandbox: command failed: %s", strerror(-r));
        return;
    }
    int length = snprintf(topic, sizeof(topic), "%s%s", CONTROL_ANSWER,
                          message->topic + strlen(CONTROL_REQUEST));
    if (length > 0 && (size_t)length < sizeof(topic))
        (void)mosquitto_broker_publish_copy(mosquitto_client_id(message->client), topic,
                                            (int)answer.size, answer.data, 0, false, NULL);
    free(answer.data);
}

/* What the operator publishes is a command, or goes where it is meant to go. */
static void take_from_operator(struct plugin *plugin, const struct account_peer *peer,
                               const struct mosquitto_evt_message *message)
{
    struct account_client *counters = account_counters_of(&plugin->account, peer);
    counters->published++;
    counters->published_bytes += message->payloadlen;
    if (strncmp(message->topic, CONTROL_REQUEST, strlen(CONTROL_REQUEST)) == 0) {
        answer_operator(plugin, message);
        return;
    }
    char *answer = NULL;
    (void)account_request_now(&plugin->account, message->topic, message->payload,
                              message->payloadlen, plugin_now(plugin), &answer);
    free(answer);
}

static int on_message(int event, void *event_data, void *user_data)
{
    (void)event;
    struct plugin *plugin = user_data;
    struct mosquitto_evt_message *message = event_data;
    const struct account_peer peer = peer_of(message->client);
    int r = 0;
    if (policy_is_operator(&plugin->account.policy, peer.identity))
        take_from_operator(plugin, &peer, message);
    else
        r = account_request(&plugin->account, peer.client_id, message->topic, message->payload,
                            message->payloadlen, plugin_now(plugin));
    if (r < 0)
        mosquitto_log_printf(MOSQ_LOG_ERR, "sandbox: request failed: %s", strerror(-r));
    save_if_dirty(plugin);
    send_due(plugin);
    return MOSQ_ERR_SUCCESS;
}

static int on_tick(int event, void *event_data, void *user_data)
{
    (void)event;
    (void)event_data;
    send_due(user_data);
    return MOSQ_ERR_SUCCESS;
}

static const struct {
    int event;
    MOSQ_FUNC_generic_callback callback;
} callbacks[] = {
    {MOSQ_EVT_BASIC_AUTH, on_connect},  {MOSQ_EVT_DISCONNECT, on_disconnect},
    {MOSQ_EVT_ACL_CHECK, on_acl_check}, {MOSQ_EVT_MESSAGE, on_message},
    {MOSQ_EVT_TICK, on_tick},
};

static void plugin_free(struct plugin *plugin)
{
    account_clear(&plugin->account);
    free(plugin->operator_name);
    free(plugin->archive_path);
    free(plugin);
}

static int read_options(struct plugin *plugin, const struct mosquitto_opt *options, int count)
{
    for (int i = 0; i < count; i++) {
        char **option = NULL;
        if (strcmp(options[i].key, "operator") == 0)
            option = &plugin->operator_name;
        else if (strcmp(options[i].key, "archive") == 0)
            option = &plugin->archive_path;
        if (!option) {
            mosquitto_log_printf(MOSQ_LOG_ERR, "sandbox: unknown option plugin_opt_%s",
                                 options[i].key);
            return MOSQ_ERR_INVAL;
        }
        *option = strdup(options[i].value);
        if (!*option)
            return MOSQ_ERR_NOMEM;
    }
    if (!plugin->operator_name)
        plugin->operator_name = strdup("sandbox-operator");
    return plugin->operator_name ? MOSQ_ERR_SUCCESS : MOSQ_ERR_NOMEM;
}

static int open_account(struct plugin *plugin)
{
    if (account_init(&plugin->account, plugin->operator_name) < 0)
        return MOSQ_ERR_NOMEM;
    int r =
        plugin->archive_path ? archive_file_read(plugin->archive_path, plugin->account.service) : 0;
    if (r < 0) {
        mosquitto_log_printf(MOSQ_LOG_ERR,
                             "sandbox: cannot read %s: %s; remove it to begin with no shadows",
                             plugin->archive_path, strerror(-r));
        return MOSQ_ERR_UNKNOWN;
    }
    return MOSQ_ERR_SUCCESS;
}

PLUGIN_EXPORT int mosquitto_plugin_version(int supported_version_count,
                                           const int *supported_versions)
{
    for (int i = 0; i < supported_version_count; i++) {
        if (supported_versions[i] == MOSQ_PLUGIN_VERSION)
            return MOSQ_PLUGIN_VERSION;
    }
    return -1;
}

PLUGIN_EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
                                        struct mosquitto_opt *options, int option_count)
{
    struct plugin *plugin = calloc(1, sizeof(*plugin));
    if (!plugin)
        return MOSQ_ERR_NOMEM;
    plugin->id = identifier;
    int rc = read_options(plugin, options, option_count);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = open_account(plugin);
    for (size_t i = 0; rc == MOSQ_ERR_SUCCESS && i < sizeof(callbacks) / sizeof(*callbacks); i++)
        rc = mosquitto_callback_register(identifier, callbacks[i].event, callbacks[i].callback,
                                         NULL, plugin);
    if (rc != MOSQ_ERR_SUCCESS) {
        plugin_free(plugin);
        return rc;
    }
    *userdata = plugin;
    return MOSQ_ERR_SUCCESS;
}

PLUGIN_EXPORT int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options,
                                           int option_count)
{
    (void)options;
    (void)option_count;
    struct plugin *plugin = userdata;
    for (size_t i = 0; i < sizeof(callbacks) / sizeof(*callbacks); i++)
        (void)mosquitto_callback_unregister(plugin->id, callbacks[i].event, callbacks[i].callback,
                                            NULL);
    plugin_free(plugin);
    return MOSQ_ERR_SUCCESS;
}
