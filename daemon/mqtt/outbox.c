#include "daemon/mqtt/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct outbox_item {
    struct mailbox_item item;
    struct outbox_command command;
    char data[];
};

int outbox_init(struct outbox *outbox, size_t commands_max, size_t bytes_max)
{
    return mailbox_init(&outbox->box, commands_max, bytes_max);
}

void outbox_clear(struct outbox *outbox)
{
    mailbox_clear(&outbox->box);
}

/* The pointers of a command, so that one loop counts and one copies. */
#define TEXTS_MAX (MQTT_LINK_FILTERS_MAX + 8)
static size_t list_texts(struct outbox_command *command, const char **ret_texts[TEXTS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < command->count; i++)
        ret_texts[count++] = &command->filters[i];
    ret_texts[count++] = &command->text;
    ret_texts[count++] = &command->topic;
    ret_texts[count++] = &command->config.host;
    ret_texts[count++] = &command->config.client_id;
    ret_texts[count++] = &command->config.proxy;
    ret_texts[count++] = &command->config.credentials.ca_file;
    ret_texts[count++] = &command->config.credentials.certificate_file;
    ret_texts[count++] = &command->config.credentials.private_key;
    return count;
}

static struct outbox_item *item_new(const struct outbox_command *command)
{
    struct outbox_command copy = *command;
    const char **texts[TEXTS_MAX];
    size_t text_count = list_texts(&copy, texts);
    size_t total = sizeof(struct outbox_item) + command->size;
    for (size_t i = 0; i < text_count; i++)
        total += *texts[i] ? strlen(*texts[i]) + 1 : 0;

    struct outbox_item *item = malloc(total);
    if (!item)
        return NULL;
    item->item.bytes = total;
    char *cursor = item->data;
    for (size_t i = 0; i < text_count; i++) {
        if (!*texts[i])
            continue;
        size_t size = strlen(*texts[i]) + 1;
        *texts[i] = memcpy(cursor, *texts[i], size);
        cursor += size;
    }
    if (command->size > 0)
        copy.payload = memcpy(cursor, command->payload, command->size);
    item->command = copy;
    return item;
}

int outbox_push(struct outbox *outbox, const struct outbox_command *command)
{
    if (command->count > MQTT_LINK_FILTERS_MAX)
        return -EINVAL;
    struct outbox_item *item = item_new(command);
    if (!item)
        return -ENOMEM;
    bool is_bounded = command->kind == OUTBOX_SUBSCRIBE || command->kind == OUTBOX_UNSUBSCRIBE ||
                      command->kind == OUTBOX_PUBLISH;
    int rc =
        mailbox_push(&outbox->box, &item->item, is_bounded ? MAILBOX_BOUNDED : MAILBOX_CONTROL);
    if (rc < 0)
        free(item);
    return rc;
}

struct outbox_command *outbox_pop(struct outbox *outbox)
{
    struct mailbox_item *item = mailbox_pop(&outbox->box);
    return item ? &((struct outbox_item *)(void *)item)->command : NULL;
}

struct outbox_command *outbox_command_free(struct outbox_command *command)
{
    if (command)
        free((char *)command - offsetof(struct outbox_item, command));
    return NULL;
}
