/*
 * ring.c - every rank has eight couriers. In each lap a courier adds up a
 * number from every rank: what it holds goes to the next rank around the ring,
 * until all have seen all. Then, by the first argument:
 *
 *     fail       one courier of the last rank fails in the middle
 *     deadline   one courier of the last rank sends what nobody takes; the
 *                first rank, and it alone, has a deadline
 *
 *     mpicc -c ranks.c ring.c $(pkg-config --cflags roost)
 *     mpirun -n 2 ./ring fail
 */
#include "ranks.h"

#include <errno.h>
#include <mpi.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define COURIERS 8
#define LAPS 25

enum scenario { PLAIN, FAIL, DEADLINE };

struct part {
    enum scenario scenario;
    int rank, size;
    long sum[COURIERS];
    atomic_int begun, ended;
};

struct courier {
    struct part *part;
    int number;
};

/* What a rank hands in at the end. */
struct report {
    int status;
    int begun, ended;
    long sum;
    char text[100];
};

static char luggage[1 << 20];

/* Adds up what every rank begins with: 100 * rank + number + lap. */
static int lap(struct courier *c, int number)
{
    struct part *p = c->part;
    int right = (p->rank + 1) % p->size;
    int left = (p->rank + p->size - 1) % p->size;
    long held = 100L * p->rank + c->number + number;
    int rc = 0;

    for (int i = 0; i < p->size && rc >= 0; i++) {
        p->sum[c->number] += held;
        rc = ranks_send(&held, sizeof held, right, c->number);
        if (rc == 0) {
            rc = ranks_recv(&held, sizeof held, left, c->number);
        }
    }
    return rc;
}

static int carry(struct courier *c)
{
    struct part *p = c->part;
    bool odd = p->rank == p->size - 1 && c->number == 3;
    int rc = 0;

    for (int i = 0; i < LAPS && rc >= 0; i++) {
        if (odd && i == LAPS / 2 && p->scenario == FAIL) {
            return roost_fail(-EIO, "courier %d is ill", c->number);
        }
        if (odd && i == LAPS / 2 && p->scenario == DEADLINE) {
            return ranks_send(luggage, sizeof luggage, 0, COURIERS);
        }
        rc = lap(c, i);
    }
    return rc;
}

static int courier(void *arg)
{
    struct courier *c = arg;
    int rc;

    atomic_fetch_add(&c->part->begun, 1);
    rc = carry(c);
    atomic_fetch_add(&c->part->ended, 1);
    return rc;
}

static int part(void *arg)
{
    int rc;

    ROOST_SCOPE(s, rc) {
        for (int i = 0; i < COURIERS; i++) {
            roost_go(s, courier, (struct courier){arg, i});
        }
    }
    return rc;
}

static int start(void *arg)
{
    struct part *p = arg;
    bool timed = p->scenario == DEADLINE && p->rank == 0;

    return ranks_run(part, p, timed ? 300 * ROOST_MS : 0);
}

/* The main task: what went wrong is kept as text. */
static int run(void *arg)
{
    struct report *r = ((void **)arg)[1];
    roost_error first = {0};
    roost_errors *e;

    r->status = start(((void **)arg)[0]);
    e = roost_errors_take();
    if (e != NULL && roost_errors_next(e, &first) && first.message != NULL) {
        snprintf(r->text, sizeof r->text, "%s", first.message);
    }
    roost_errors_free(e);
    return 0;
}

static void print_report(int rank, const struct report *r)
{
    printf("rank %d: %s, %d couriers begun, %d ended\n", rank,
           r->status == 0            ? "done"
           : r->status == -EIO       ? "input/output error"
           : r->status == -ETIMEDOUT ? "timed out"
                                     : "?",
           r->begun, r->ended);
    if (r->status == 0) {
        printf("rank %d: sum %ld\n", rank, r->sum);
    } else if (r->text[0] != '\0') {
        printf("rank %d: %s\n", rank, r->text);
    }
}

int main(int argc, char **argv)
{
    static struct part p;
    struct report mine = {0}, all[64];
    void *arg[] = {&p, &mine};
    int rc;

    ranks_init(&argc, &argv, &p.rank, &p.size);
    if (argc > 1) {
        p.scenario = strcmp(argv[1], "fail") == 0 ? FAIL : DEADLINE;
    }
    rc = roost_run(run, arg, NULL);
    if (rc < 0 || p.size > 64) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    mine.begun = p.begun;
    mine.ended = p.ended;
    for (int i = 0; i < COURIERS; i++) {
        mine.sum += p.sum[i];
    }
    /* Every rank is here: so the rest is MPI as ever. */
    MPI_Gather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, 0,
               MPI_COMM_WORLD);
    for (int i = 0; i < p.size && p.rank == 0; i++) {
        print_report(i, &all[i]);
    }
    return MPI_Finalize();
}
