#include "daemon/mqtt/mailbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *mailbox, size_t count_max, size_t bytes_max)
{
    *mailbox = (struct mailbox){.count_max = count_max, .bytes_max = bytes_max};
    mailbox->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->event_fd < 0)
        return -errno;
    int rc = pthread_mutex_init(&mailbox->mutex, NULL);
    if (rc != 0) {
        close(mailbox->event_fd);
        return -rc;
    }
    return 0;
}

static struct mailbox_item *detach_all(struct mailbox *mailbox)
{
    struct mailbox_item *first = mailbox->first;
    mailbox->first = mailbox->last = NULL;
    mailbox->count = mailbox->bytes = 0;
    return first;
}

static void free_all(struct mailbox_item *item)
{
    while (item) {
        struct mailbox_item *next = item->next;
        free(item);
        item = next;
    }
}

void mailbox_clear(struct mailbox *mailbox)
{
    free_all(detach_all(mailbox));
    pthread_mutex_destroy(&mailbox->mutex);
    close(mailbox->event_fd);
    mailbox->event_fd = -1;
}

void mailbox_wake(struct mailbox *mailbox)
{
    /* Fails only when the counter is full, and then the reader is being woken already. */
    (void)eventfd_write(mailbox->event_fd, 1);
    /* In this order: a reader that comes between the two finds the eventfd readable again. */
    atomic_store(&mailbox->woken, true);
}

void mailbox_rest(struct mailbox *mailbox)
{
    if (!atomic_exchange(&mailbox->woken, false))
        return; /* spares the loop a system call a turn */
    eventfd_t ignored;
    (void)eventfd_read(mailbox->event_fd, &ignored);
}

static int append(struct mailbox *mailbox, struct mailbox_item *item, enum mailbox_class kind)
{
    if (kind == MAILBOX_BOUNDED &&
        (mailbox->count >= mailbox->count_max || mailbox->bytes >= mailbox->bytes_max ||
         item->bytes > mailbox->bytes_max - mailbox->bytes))
        return -ENOBUFS;
    item->next = NULL;
    if (mailbox->last) {
        mailbox->last->next = item;
    } else {
        mailbox->first = item;
        mailbox_wake(mailbox);
    }
    mailbox->last = item;
    mailbox->count++;
    mailbox->bytes += item->bytes;
    return 0;
}

int mailbox_push(struct mailbox *mailbox, struct mailbox_item *item, enum mailbox_class kind)
{
    pthread_mutex_lock(&mailbox->mutex);
    int rc = append(mailbox, item, kind);
    pthread_mutex_unlock(&mailbox->mutex);
    return rc;
}

struct mailbox_item *mailbox_pop(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct mailbox_item *item = mailbox->first;
    if (item) {
        mailbox->first = item->next;
        if (!mailbox->first)
            mailbox->last = NULL;
        mailbox->count--;
        mailbox->bytes -= item->bytes;
    } else {
        /* Under the lock: a push after this finds the queue empty and wakes again. */
        mailbox_rest(mailbox);
    }
    pthread_mutex_unlock(&mailbox->mutex);
    return item;
}

void mailbox_empty(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct mailbox_item *item = detach_all(mailbox);
    pthread_mutex_unlock(&mailbox->mutex);
    free_all(item);
}
