#include "daemon/mqtt/inbox.h"

#include <stdlib.h>
#include <string.h>

struct inbox_item {
    struct mailbox_item item;
    uint64_t connection;
    struct mqtt_link_event event;
    /* credentials, text, topic, payload: what of them there is */
    _Alignas(max_align_t) char data[];
};

int inbox_init(struct inbox *inbox, size_t events_max, size_t bytes_max)
{
    atomic_init(&inbox->broken, 0);
    inbox->current = NULL;
    return mailbox_init(&inbox->box, events_max, bytes_max);
}

void inbox_clear(struct inbox *inbox)
{
    free(inbox->current);
    inbox->current = NULL;
    mailbox_clear(&inbox->box);
}

static const void *append(char **cursor, const void *bytes, size_t size)
{
    char *start = *cursor;
    if (size > 0)
        memcpy(start, bytes, size);
    *cursor = start + size;
    return start;
}

static struct inbox_item *item_new(uint64_t connection, const struct mqtt_link_event *event)
{
    const char *text = event->text ? event->text : "";
    const char *topic = event->topic ? event->topic : "";
    size_t text_size = strlen(text) + 1, topic_size = strlen(topic) + 1;
    size_t credentials_size = event->credentials ? sizeof(*event->credentials) : 0;
    size_t total =
        sizeof(struct inbox_item) + credentials_size + text_size + topic_size + event->size;
    struct inbox_item *item = malloc(total);
    if (!item)
        return NULL;
    item->item.bytes = total;
    item->connection = connection;
    item->event = *event;
    char *cursor = item->data;
    if (credentials_size > 0)
        item->event.credentials = append(&cursor, event->credentials, credentials_size);
    item->event.text = append(&cursor, text, text_size);
    item->event.topic = append(&cursor, topic, topic_size);
    item->event.payload = append(&cursor, event->payload, event->size);
    return item;
}

static void break_connection(struct inbox *inbox, uint64_t connection)
{
    if (connection == 0)
        return;
    atomic_store(&inbox->broken, connection);
    mailbox_wake(&inbox->box);
}

bool inbox_push(struct inbox *inbox, uint64_t connection, const struct mqtt_link_event *event)
{
    if (connection != 0 && atomic_load(&inbox->broken) == connection)
        return false;
    struct inbox_item *item = item_new(connection, event);
    if (!item) {
        break_connection(inbox, connection);
        return false;
    }
    enum mailbox_class kind = event->kind == MQTT_LINK_MESSAGE ? MAILBOX_BOUNDED : MAILBOX_CONTROL;
    if (mailbox_push(&inbox->box, &item->item, kind) < 0) {
        free(item);
        break_connection(inbox, connection);
        return false;
    }
    return true;
}

bool inbox_next(struct inbox *inbox, uint64_t connection, struct mqtt_link_event *ret_event)
{
    free(inbox->current);
    inbox->current = NULL;
    struct mailbox_item *item;
    while ((item = mailbox_pop(&inbox->box))) {
        struct inbox_item *event_item = (struct inbox_item *)(void *)item;
        if (event_item->connection == connection || event_item->connection == 0) {
            inbox->current = event_item;
            *ret_event = event_item->event;
            return true;
        }
        free(item);
    }
    uint64_t broken = connection;
    if (connection == 0 || !atomic_compare_exchange_strong(&inbox->broken, &broken, UINT64_MAX))
        return false;
    *ret_event = (struct mqtt_link_event){
        .kind = MQTT_LINK_LOST,
        .code = -1,
        .text = "more messages came in than the daemon could take",
        .topic = "",
        .payload = "",
    };
    return true;
}
