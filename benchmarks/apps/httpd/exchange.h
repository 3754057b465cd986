/*
 * exchange.h - one request and its reply.
 */
#ifndef HTTPD_EXCHANGE_H
#define HTTPD_EXCHANGE_H

#include "conn.h"

/* Answers the request of c, which is complete. Whether another may follow. */
bool exchange_run(struct conn *c);
/* Says why it is refused. */
void exchange_refuse(struct conn *c);

#endif
