/*
 * link.c - a scope that is cancelled when another one is.
 *
 * WHAT    roost_scope_link: an on_cancel hook in the source that cancels the
 *         linked scope; either may end first.
 * INVARIANTS
 *   - The hook lives until the linked scope closes, which removes it (and
 *     waits if it runs), so it never cancels a closed scope.
 * COST    An allocation a link.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "runtime.h"
#include "worker.h"
#include <errno.h>

struct scope_link {
    roost_hook hook;
    struct scope *scope;     /* I: to be cancelled */
    struct scope_link *next; /* O */
};

static void cancel_linked(void *arg)
{
    struct scope_link *link = arg;

    scope_cancel_with(link->scope, ROOST_REASON_EXPLICIT, 0, "");
}

int roost_scope_link(roost_scope *pub, roost_scope *source)
{
    struct scope *s = scope_of(pub);
    struct scope_rare *rare;
    struct scope_link *link;

    if (registry_forked() || s == NULL || source == NULL || pub == source) {
        return -EINVAL;
    }
    rare = scope_rare(s);
    link = rare == NULL ? NULL : alloc_zero(sizeof(*link));
    if (link == NULL) {
        return -ENOMEM;
    }
    link->scope = s;
    scope_lock(s);
    link->next = rare->links;
    rare->links = link;
    scope_unlock(s);
    roost_scope_on_cancel(source, &link->hook, cancel_linked, link);
    return 0;
}

void links_close(struct scope *s)
{
    struct scope_link *link;

    if (s->rare == NULL) {
        return;
    }
    while ((link = s->rare->links) != NULL) {
        s->rare->links = link->next;
        roost_hook_remove(&link->hook);
        alloc_free(link);
    }
}
