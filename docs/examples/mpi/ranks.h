/*
 * ranks.h - MPI between the tasks of many processes: a request is awaited as
 * anything else is, and no worker is busy meanwhile. To be copied: change it as
 * you like.
 *
 * Every rank calls ranks_run with its own part of the work. If a rank's part
 * fails, or runs out of time, its status and message reach the scopes of all
 * other ranks, which are cancelled with them. ranks_run returns on every rank
 * when all have ended, and no message is under way then.
 */
#ifndef RANKS_H
#define RANKS_H

#include <roost/roost.h>

/* MPI_Init_thread, before roost_run: this process's number and how many there
 * are. Where it is not to be had the job is aborted. */
void ranks_init(int *argc, char ***argv, int *rank, int *size);

/* Runs fn(arg) as this rank's part, inside a task; timeout 0: none.
 * 0, or the first failure that this rank has heard of, its own or another's
 * (then "rank N: ..." is its message), -ETIMEDOUT, or -ECANCELED. */
int ranks_run(roost_fn fn, void *arg, roost_ns timeout);

/* Both inside of it, by any task; they wait, and are cancellation points. A
 * send takes a copy, so that who is cancelled need not wait for the other side.
 * 0, and for a receive the bytes that came; -ECANCELED: nothing was received,
 * and nobody knows whether it was sent; -EMSGSIZE: it has more than n bytes. */
int ranks_send(const void *data, int n, int to, int tag);
int ranks_recv(void *data, int n, int from, int tag);

#endif
