/*
 * local.c - values that a task sees because its spawner bound them (R31).
 *
 * WHAT    An immutable list of bindings, newest first; a child sees the list
 *         that was current where it was spawned, as it was then.
 * MODEL   Binding puts a node before the opener's list until the scope closes.
 *         A child spawned into the current scope uses the list uncounted: the
 *         scope outlives it. Whoever may outlive it (another scope's child, a
 *         background task) holds a reference on the first node, and each node
 *         one on the next.
 * ORDER
 *   B1  drop: acq_rel decrement -> the last one frees
 * COST    get: 1 ns a binding before the one looked for. Without bindings: 0.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

struct env {
    a64 references;         /* M */
    struct env *next;       /* I: owns a reference */
    const roost_local *key; /* I */
    void *value;            /* I */
};

struct env *env_hold(struct env *env)
{
    if (env != NULL) {
        a64_add(&env->references, 1, RELAXED);
    }
    return env;
}

void env_drop(struct env *env)
{
    while (env != NULL &&
           a64_add(&env->references, -UINT64_C(1), ACQ_REL /* B1 */) == 1) {
        struct env *next = env->next;

        alloc_free(env);
        env = next;
    }
}

int roost_local_bind(roost_scope *pub, roost_local *key, void *value)
{
    struct scope *s = scope_of(pub);
    struct frame *f = frame_current();
    struct scope_rare *rare;
    struct env *env;

    if (registry_forked() || s == NULL || key == NULL) {
        return -EINVAL;
    }
    if (f == NULL || s->owner != f || f->scope != s) {
        return -EPERM;
    }
    rare = scope_rare(s);
    env = rare == NULL ? NULL : alloc_bytes(sizeof(*env));
    if (env == NULL) {
        return -ENOMEM;
    }
    if (!rare->bound) {
        rare->bound = true;
        rare->env_before = f->env;
    }
    a64_init(&env->references, 1);
    env->next = env_hold(f->env);
    env->key = key;
    env->value = value;
    f->env = env;
    return 0;
}

/* The nodes bound in s lose the scope's reference; their holders keep them. */
void env_unbind(struct scope *s, struct frame *f)
{
    struct env *before = s->rare->env_before;

    while (f->env != before) {
        struct env *env = f->env;

        f->env = env->next;
        env_drop(env);
    }
}

void *roost_local_get(const roost_local *key)
{
    struct frame *f = frame_current();
    struct job *j = f == NULL ? offload_job() : NULL;
    const struct env *env;

    if (key == NULL || (f == NULL && j == NULL)) {
        return NULL;
    }
    for (env = f != NULL ? f->env : j->env; env != NULL; env = env->next) {
        if (env->key == key) {
            return env->value;
        }
    }
    return NULL;
}
