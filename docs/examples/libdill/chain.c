/*
 * chain.c - ../chain.c with libdill.
 */
#include <errno.h>
#include <libdill.h>
#include <stdio.h>

#define LINKS 1000

coroutine static void pass_on(int left, int right)
{
    int number = 0;

    if (chrecv(right, &number, sizeof number, -1) == 0) {
        number++;
        (void)chsend(left, &number, sizeof number, -1);
    }
}

int main(void)
{
    static int chans[LINKS + 1][2]; /* the two ends of each */
    int number = 0, links = bundle();

    for (int i = 0; i <= LINKS; i++) {
        if (chmake(chans[i]) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < LINKS; i++) {
        if (bundle_go(links, pass_on(chans[i][0], chans[i + 1][1])) != 0) {
            return 1;
        }
    }
    if (chsend(chans[LINKS][0], &number, sizeof number, -1) == 0 &&
        chrecv(chans[0][1], &number, sizeof number, -1) == 0) {
        printf("%d links\n", number);
    }
    (void)bundle_wait(links, -1);
    (void)bundle_go(links, pass_on(chans[0][0], chans[1][1]));
    if (bundle_wait(links, now() + 10) != 0 && errno == ETIMEDOUT) {
        printf("timed out\n");
    }
    return hclose(links); /* the one that waits gets ECANCELED, and ends */
}
