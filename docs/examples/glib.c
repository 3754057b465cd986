/*
 * glib.c - roost as a guest in a main loop of GLib, and a callback of GLib's as
 * something that a task waits for: when the wait is cancelled the callback is
 * taken back, so none comes to a task that has ended.
 */
#include <glib-unix.h>
#include <stdio.h>

#include <roost/roost.h>

struct app {
    roost_runtime *rt;
    GMainLoop *loop;
};

/* The one call: at most 1 ms of tasks between two callbacks of others. */
static gboolean on_ready(gint fd, GIOCondition condition, gpointer data)
{
    struct app *app = data;

    (void)fd;
    (void)condition;
    roost_guest_turn(app->rt, ROOST_MS);
    return G_SOURCE_CONTINUE;
}

static gboolean on_timeout(gpointer data)
{
    printf("glib: a timeout\n");
    roost_event_set(data);
    return G_SOURCE_REMOVE;
}

/* Waits for GLib's timer, as a task; 0, or why it was given up. */
static int await_timeout(void *arg)
{
    roost_event came = ROOST_EVENT_INIT;
    guint source = g_timeout_add(*(guint *)arg, on_timeout, &came);
    int rc = roost_event_wait(&came);

    if (!roost_event_is_set(&came)) { /* cancelled, and not called since */
        g_source_remove(source);
        printf("roost: a timeout was taken back\n");
    }
    return rc;
}

static int work(void *arg)
{
    struct app *app = arg;
    guint quick = 5, slow = 60000;
    int rc;

    ROOST_SCOPE(s, rc, .flags = ROOST_RACE) { /* the first ends the other */
        roost_spawn(s, await_timeout, &quick);
        roost_spawn(s, await_timeout, &slow);
    }
    printf("roost: the race ended with %d\n", rc);
    g_main_loop_quit(app->loop);
    return rc;
}

int main(void)
{
    struct app app = {.loop = g_main_loop_new(NULL, FALSE)};
    int rc = roost_guest_start(&app.rt, &(roost_opts){.workers = 1});

    if (rc < 0) {
        return 1;
    }
    g_unix_fd_add(roost_guest_fd(app.rt), G_IO_IN, on_ready, &app);
    rc = roost_post(app.rt, work, &app, 0);
    g_main_loop_run(app.loop);
    g_main_loop_unref(app.loop);

    if (roost_stop(app.rt) == 0) { /* runs what is left to its end */
        roost_runtime_free(app.rt);
    }
    printf("ended: %d\n", rc);
    return rc < 0;
}
