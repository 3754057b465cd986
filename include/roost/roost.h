/*
 * roost.h - all of roost: tasks on all processors, in scopes that end after
 * everything that was started in them. Start with roost_run, ROOST_SCOPE and
 * roost_spawn.
 */
#ifndef ROOST_ROOST_H
#define ROOST_ROOST_H

#include <roost/base.h>
#include <roost/chan.h>
#include <roost/error.h>
#include <roost/guest.h>
#include <roost/io.h>
#include <roost/offload.h>
#include <roost/parallel.h>
#include <roost/run.h>
#include <roost/scope.h>
#include <roost/stream.h>
#include <roost/sync.h>
#include <roost/task.h>
#include <roost/time.h>
#include <roost/trace.h>
#include <roost/typed.h>

#endif
