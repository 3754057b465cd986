/*
 * libuv.c - roost as a guest in a loop of libuv: one descriptor to watch, one
 * call to make. All tasks run on the loop's thread, so they may use what is the
 * loop's, and its callbacks may wake them.
 */
#include <stdio.h>
#include <uv.h>

#include <roost/roost.h>

struct app {
    roost_runtime *rt;
    uv_poll_t ready;
    uv_timer_t timer;
    roost_event rang;
};

/* The one call: at most 1 ms of tasks between two callbacks of others. */
static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct app *app = handle->data;

    (void)status;
    (void)events;
    roost_guest_turn(app->rt, ROOST_MS);
}

static void on_timer(uv_timer_t *timer)
{
    struct app *app = timer->data;

    printf("libuv: the timer\n");
    roost_event_set(&app->rang);
}

static int fetch(void *arg)
{
    return roost_sleep(*(int *)arg * ROOST_MS);
}

/* An ordinary task: it opens scopes, waits, has deadlines. */
static int work(void *arg)
{
    struct app *app = arg;
    int quick = 5, slow = 60000;
    int rc;

    ROOST_SCOPE(s, rc, .timeout = 20 * ROOST_MS) {
        roost_spawn(s, fetch, &quick);
        roost_spawn(s, fetch, &slow);
    }
    printf("roost: %s\n", rc == -ETIMEDOUT ? "slow is late" : "unexpected");

    uv_timer_start(&app->timer, on_timer, 5, 0);
    rc = roost_event_wait(&app->rang);
    printf("roost: woken by libuv\n");

    uv_close((uv_handle_t *)&app->timer, NULL);
    uv_close((uv_handle_t *)&app->ready, NULL); /* the loop ends */
    return rc;
}

int main(void)
{
    struct app app = {.rang = ROOST_EVENT_INIT};
    uv_loop_t loop;
    int rc = roost_guest_start(&app.rt, &(roost_opts){.workers = 1});

    if (rc < 0 || uv_loop_init(&loop) < 0) {
        return 1;
    }
    app.ready.data = &app;
    app.timer.data = &app;
    uv_timer_init(&loop, &app.timer);
    uv_poll_init(&loop, &app.ready, roost_guest_fd(app.rt));
    uv_poll_start(&app.ready, UV_READABLE, on_ready);

    rc = roost_post(app.rt, work, &app, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);

    if (roost_stop(app.rt) == 0) { /* runs what is left to its end */
        roost_runtime_free(app.rt);
    }
    printf("ended: %d\n", rc);
    return rc < 0;
}
