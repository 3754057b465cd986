# ucontext.cmake - compiles what depends on the switch of stacks, for ucontext's:
# -DCOMPILER=... -DROOT=... . A warning is an error.
file(GLOB_RECURSE sources ${ROOT}/sched/*.c ${ROOT}/sync/*.c)
set(count 0)
foreach(source IN LISTS sources)
  file(STRINGS ${source} found LIMIT_COUNT 1
       REGEX "ROOST_SWITCH_UCONTEXT|SWITCH_TRAILS")
  if(found)
    math(EXPR count "${count} + 1")
    foreach(form -Droost_EXPORTS -Uroost_EXPORTS)
      execute_process(
        COMMAND ${COMPILER} -std=c11 -D_GNU_SOURCE -DROOST_SWITCH_UCONTEXT
                ${form} -I${ROOT}/include -I${ROOT}/sched -I${ROOT}/sync -Wall
                -Wextra -Werror -fPIC -O1 -c ${source} -o /dev/null
        RESULT_VARIABLE rc)
      if(NOT rc EQUAL 0)
        message(FATAL_ERROR "${source} ${form}: ${rc}")
      endif()
    endforeach()
  endif()
endforeach()
if(count EQUAL 0)
  message(FATAL_ERROR "nothing depends on the switch: what is this for?")
endif()
