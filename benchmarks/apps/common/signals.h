/*
 * signals.h - the signals that end a program: the first in its own way, the
 * next one at once.
 */
#ifndef APPS_SIGNALS_H
#define APPS_SIGNALS_H

#include <signal.h>

#include <roost/roost.h>

/* For roost_opts.signals: SIGINT, SIGTERM and SIGHUP; one that is ignored
 * (nohup, a job in the background) stays so. */
void signals_init(sigset_t *set);

/* Waits for the first one: its number; -ECANCELED and what roost_signal_wait
 * may return. Then it is as after signals_over. */
int signals_first(const sigset_t *set);

/* From now on any of them ends the program at once. A task. */
void signals_over(const sigset_t *set);

#endif
