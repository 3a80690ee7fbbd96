/* Which reports to one shadow still wait for an answer. Puts the answers into a queue, and knows
 * how answers map to reports whose values travelled in later ones: merged while the socket was
 * full, or sent again after a lost connection. Does no I/O and calls nobody back. */
#ifndef CLIENT_ANSWERS_H
#define CLIENT_ANSWERS_H

#include "client/answers_queue.h"
#include "client/answers_report.h"
#include "proto/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A frame that carried what was left of a report. */
struct answers_frame {
    uint64_t id;
    uint32_t operations;
    unsigned reached; /* enum flux_level, or 0 */
};

struct answers {
    struct answers_report *reports; /* by id */
    size_t report_count, report_capacity;
    struct answers_frame *frames; /* by id; only while some report is shared */
    size_t frame_count, frame_capacity;
    struct answers_queue *queue; /* to be delivered; borrowed */
    uint16_t shadow;             /* handle, for the queue */
    size_t shared_count;         /* reports with `until` */
    size_t ended_count;          /* reports to be swept out */
};

/* Begin with nothing; what the shadow with this handle answers goes to the queue. */
void answers_init(struct answers *answers, struct answers_queue *queue, uint16_t shadow);

/* Free all but the queue. */
void answers_clear(struct answers *answers);

/* Expect an answer to a new report of so many operations, up to `wanted`. Beyond 1,024 waiting
 * entries neighbours share one: they are answered later, never falser. Returns 0; -ENOMEM; -ENOBUFS
 * (65,536 entries wait, which takes reports to several shadows by turns). */
int answers_expect(struct answers *answers, uint64_t id, enum flux_level wanted, size_t operations);

/* Take the last answers_expect() back: the report was not made after all. */
void answers_unexpect(struct answers *answers, uint64_t id);

/* Reports that have not reached the wanted level. */
uint64_t answers_waiting(const struct answers *answers);

/* The first report that waits, or UINT64_MAX. */
uint64_t answers_first_waiting(const struct answers *answers);

/* The highest level that any waiting report wants; QUEUED if none does. */
enum flux_level answers_wanted(const struct answers *answers);

/* Forget what was on the wire: the connection is gone. */
void answers_lost(struct answers *answers);

/* Tell that the rest of report `id`, so many operations, goes out as a frame of its own. Ids rise
 * within a connection. Returns 0 or -ENOMEM. */
int answers_frame_sent(struct answers *answers, uint64_t id, size_t operations);

/* Tell that all reports after `from` up to `to` are on the wire now, as the frames told before, and
 * that `newest` is the newest report of all. What is not whole in its own frame is shared. */
void answers_frames_done(struct answers *answers, uint64_t from, uint64_t to, uint64_t newest);

/* Take an answer for reports sent, that is up to `sent`. Returns 0 or -ENOMEM. */
int answers_reach(struct answers *answers, const struct flux_answer *answer, uint64_t sent);
int answers_reject(struct answers *answers, const struct flux_rejected *rejected, uint64_t sent);

/* Reject every report that waits. Returns 0 or -ENOMEM. */
int answers_reject_all(struct answers *answers, uint32_t code, const char *text);

#endif
