/* signals.c - see signals.h. */
#include "signals.h"

void signals_init(sigset_t *set)
{
    static const int those[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction now;

    sigemptyset(set);
    for (size_t i = 0; i < sizeof those / sizeof *those; i++) {
        if (sigaction(those[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
            sigaddset(set, those[i]);
        }
    }
}

int signals_first(const sigset_t *set)
{
    int signal = sigisemptyset(set) ? roost_sleep_until(ROOST_NEVER)
                                    : roost_signal_wait(set);

    if (signal > 0) {
        signals_over(set);
    }
    return signal;
}

/* One thread that does not block them is enough: a worker is there until the
 * end. They have no handlers. */
void signals_over(const sigset_t *set)
{
    pthread_sigmask(SIG_UNBLOCK, set, NULL);
}
