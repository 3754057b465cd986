/*
 * local_model.c - the real local.c: two tasks hold bindings that their scope
 * has let go of, and the last of them frees.
 *
 * Would catch: bindings that are freed while somebody still reads them, or
 * never, or twice.
 */
// MODEL-SOURCES: sched/local.c
#include "model.h"
#include "runtime.h"
#include "worker.h"
#include <string.h>

static struct scope scope;
static struct scope_rare rare;
static struct frame opener, tasks[2];
static roost_local first, second;

/* ---- what local.c calls -------------------------------------------------- */

bool registry_forked(void)
{
    return false;
}

struct frame *frame_current(void)
{
    return model_self() < 0 ? &opener : &tasks[model_self()];
}

struct scope_rare *scope_rare(struct scope *s)
{
    MODEL_CHECK(s == &scope);
    return &rare;
}

struct job *offload_job(void)
{
    return NULL;
}

/* ---- the model ----------------------------------------------------------- */

static void bind(void)
{
    memset(&scope, 0, sizeof(scope));
    memset(&rare, 0, sizeof(rare));
    memset(&opener, 0, sizeof(opener));
    memset(tasks, 0, sizeof(tasks));
    scope.owner = &opener;
    scope.rare = &rare;
    opener.scope = &scope;
    MODEL_CHECK(roost_local_bind(scope_public(&scope), &first, &rare) == 0);
    MODEL_CHECK(roost_local_bind(scope_public(&scope), &second, NULL) == 0);
    tasks[0].env = env_hold(opener.env);
    tasks[1].env = env_hold(opener.env);
    env_unbind(&scope, &opener);
    MODEL_CHECK(opener.env == NULL);
}

static void reads(void)
{
    MODEL_CHECK(roost_local_get(&first) == &rare);
    env_drop(frame_current()->env);
}

static void all_freed(void)
{
    MODEL_CHECK(model_live() == 0);
}

MODEL(last_frees, .setup = bind, .threads = {reads, reads}, .check = all_freed,
      .preemptions = 4);
