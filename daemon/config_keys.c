#include "daemon/config.h"

#include "proto/limits.h"

#define HOUR_MS 3600000
#define DAY_MS  (24 * HOUR_MS)
#define DAY_SEC 86400

static const char *const protocols[] = {"5", "3.1.1", NULL};
static const char *const storage_modes[] = {"durable", "volatile", NULL};
static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};

#define TEXT(section, name, value)                                                                 \
    {                                                                                              \
        section, name, value, CONFIG_TEXT, 0, CONFIG_TEXT_MAX, NULL                                \
    }
#define NUMBER(section, name, value, min, max)                                                     \
    {                                                                                              \
        section, name, value, CONFIG_NUMBER, min, max, NULL                                        \
    }
#define CHOICE(section, name, value, list)                                                         \
    {                                                                                              \
        section, name, value, CONFIG_CHOICE, 0, 0, list                                            \
    }

static const struct config_key keys[CONFIG_ID_COUNT] = {
    [CONFIG_THING_NAME] = {"Thing", "Name", "", CONFIG_TEXT, 0, FLUX_THING_NAME_MAX, NULL},
    [CONFIG_THING_NAME_FROM] = TEXT("Thing", "NameFrom", ""),
    [CONFIG_THING_EXTRA] = {"Thing", "Extra", "", CONFIG_THINGS, 0, CONFIG_TEXT_MAX, NULL},
    [CONFIG_ENDPOINT] = {"Connection", "Endpoint", "", CONFIG_HOST, 0, CONFIG_TEXT_MAX, NULL},
    [CONFIG_PORT] = NUMBER("Connection", "Port", "8883", 1, 65535),
    [CONFIG_CLIENT_ID] = {"Connection", "ClientId", "", CONFIG_TEXT, 0, 128, NULL},
    [CONFIG_PROTOCOL] = CHOICE("Connection", "Protocol", "5", protocols),
    [CONFIG_KEEP_ALIVE_SEC] = NUMBER("Connection", "KeepAliveSec", "240", 30, 1200),
    [CONFIG_CONNECT_TIMEOUT_MS] =
        NUMBER("Connection", "ConnectTimeoutMs", "30000", 1000, 10 * 60 * 1000),
    [CONFIG_BACKOFF_MIN_MS] = NUMBER("Connection", "BackoffMinMs", "1000", 10, HOUR_MS),
    [CONFIG_BACKOFF_MAX_MS] = NUMBER("Connection", "BackoffMaxMs", "300000", 10, DAY_MS),
    [CONFIG_CA_FILE] = TEXT("Connection", "CaFile", ""),
    [CONFIG_CERTIFICATE_FILE] = TEXT("Connection", "CertificateFile", ""),
    [CONFIG_PRIVATE_KEY] = TEXT("Connection", "PrivateKey", ""),
    [CONFIG_PROXY] = {"Connection", "Proxy", "", CONFIG_PROXY_URL, 0, CONFIG_TEXT_MAX, NULL},
    [CONFIG_INTERVAL_MS] = NUMBER("Updates", "IntervalMs", "10000", 0, DAY_MS),
    [CONFIG_BURST] = NUMBER("Updates", "Burst", "10", 1, 1000),
    [CONFIG_RESPONSE_TIMEOUT_MS] =
        NUMBER("Updates", "ResponseTimeoutMs", "30000", 2000, 10 * 60 * 1000),
    [CONFIG_MAX_DOCUMENT_BYTES] = NUMBER("Updates", "MaxDocumentBytes", "8192", 256, 131072),
    [CONFIG_MAX_DEPTH] = NUMBER("Updates", "MaxDepth", "8", 1, FLUX_PATH_DEPTH_MAX),
    [CONFIG_MAX_SHADOWS] = NUMBER("Updates", "MaxShadows", "64", 1, 1000),
    [CONFIG_MAX_SUBSCRIPTIONS] = NUMBER("Updates", "MaxSubscriptions", "50", 6, 500),
    [CONFIG_REQUESTS_PER_SEC] = NUMBER("Updates", "RequestsPerSec", "20", 1, 10000),
    [CONFIG_MESSAGES_PER_SEC] = NUMBER("Updates", "MessagesPerSec", "80", 8, 10000),
    [CONFIG_REFRESH_SEC] = NUMBER("Updates", "RefreshSec", "3600", 60, 365 * DAY_SEC),
    [CONFIG_DAILY_OPERATIONS] =
        NUMBER("Updates", "DailyOperations", "20000", 0, 1000 * 1000 * 1000),
    [CONFIG_STOP_TIMEOUT_MS] = NUMBER("Updates", "StopTimeoutMs", "2000", 0, 60 * 1000),
    [CONFIG_STORAGE_MODE] = CHOICE("Storage", "Mode", "durable", storage_modes),
    [CONFIG_STORAGE_DIRECTORY] = {"Storage", "Directory", "", CONFIG_DIRECTORY, 0, CONFIG_TEXT_MAX,
                                  NULL},
    [CONFIG_SYNC_INTERVAL_MS] = NUMBER("Storage", "SyncIntervalMs", "30000", 0, DAY_MS),
    [CONFIG_STORAGE_MAX_BYTES] =
        NUMBER("Storage", "MaxBytes", "16777216", 1024 * 1024, 1024 * 1024 * 1024),
    [CONFIG_SOCKET_PATH] = {"Socket", "Path", "/run/fluxaws/fluxawsd.sock", CONFIG_SOCKET, 0,
                            CONFIG_SOCKET_PATH_MAX, NULL},
    [CONFIG_SOCKET_MODE] = {"Socket", "Mode", "0660", CONFIG_OCTAL, 0, 0777, NULL},
    [CONFIG_SOCKET_GROUP] = TEXT("Socket", "Group", "fluxaws"),
    [CONFIG_MAX_CLIENTS] = NUMBER("Socket", "MaxClients", "256", 1, 4096),
    [CONFIG_MAX_CLIENTS_PER_USER] = NUMBER("Socket", "MaxClientsPerUser", "64", 1, 4096),
    [CONFIG_MAX_FRAME_BYTES] =
        NUMBER("Socket", "MaxFrameBytes", "65536", 4096, FLUX_FRAME_BYTES_MAX),
    [CONFIG_GONE_AFTER_MS] = NUMBER("Socket", "GoneAfterMs", "10000", 0, DAY_MS),
    [CONFIG_LOG_LEVEL] = CHOICE("Log", "Level", "info", log_levels),
};

/* What is not named here counts at once. */
static const enum config_reload reloads[CONFIG_ID_COUNT] = {
    [CONFIG_THING_NAME] = CONFIG_RELOAD_RESTART,
    [CONFIG_THING_NAME_FROM] = CONFIG_RELOAD_RESTART,
    [CONFIG_ENDPOINT] = CONFIG_RELOAD_DIALS,
    [CONFIG_PORT] = CONFIG_RELOAD_DIALS,
    [CONFIG_CLIENT_ID] = CONFIG_RELOAD_DIALS,
    [CONFIG_PROTOCOL] = CONFIG_RELOAD_DIALS,
    [CONFIG_KEEP_ALIVE_SEC] = CONFIG_RELOAD_DIALS,
    [CONFIG_CONNECT_TIMEOUT_MS] = CONFIG_RELOAD_ATTEMPT,
    [CONFIG_BACKOFF_MIN_MS] = CONFIG_RELOAD_ATTEMPT,
    [CONFIG_BACKOFF_MAX_MS] = CONFIG_RELOAD_ATTEMPT,
    [CONFIG_CA_FILE] = CONFIG_RELOAD_DIALS,
    [CONFIG_CERTIFICATE_FILE] = CONFIG_RELOAD_DIALS,
    [CONFIG_PRIVATE_KEY] = CONFIG_RELOAD_DIALS,
    [CONFIG_PROXY] = CONFIG_RELOAD_DIALS,
    [CONFIG_STORAGE_MODE] = CONFIG_RELOAD_RESTART,
    [CONFIG_STORAGE_DIRECTORY] = CONFIG_RELOAD_RESTART,
    [CONFIG_STORAGE_MAX_BYTES] = CONFIG_RELOAD_RESTART,
    [CONFIG_SOCKET_PATH] = CONFIG_RELOAD_RESTART,
    [CONFIG_SOCKET_MODE] = CONFIG_RELOAD_RESTART,
    [CONFIG_SOCKET_GROUP] = CONFIG_RELOAD_RESTART,
    [CONFIG_MAX_CLIENTS] = CONFIG_RELOAD_CLIENTS,
    [CONFIG_MAX_CLIENTS_PER_USER] = CONFIG_RELOAD_CLIENTS,
    [CONFIG_MAX_FRAME_BYTES] = CONFIG_RELOAD_CLIENTS,
};

const struct config_key *config_key(enum config_id id)
{
    return &keys[id];
}

enum config_reload config_reload(enum config_id id)
{
    return reloads[id];
}

const char *config_reload_name(enum config_reload reload)
{
    switch (reload) {
    case CONFIG_RELOAD_AT_ONCE:
        return "at once";
    case CONFIG_RELOAD_ATTEMPT:
        return "with the next attempt";
    case CONFIG_RELOAD_CLIENTS:
        return "for new connections";
    case CONFIG_RELOAD_DIALS:
        return "at once, dials anew";
    case CONFIG_RELOAD_RESTART:
        return "needs a restart";
    }
    return "unknown";
}
