# Builds a rival that is no C: cmake -DNAME= -DFROM= -DTO= -DALSO= -DPROGRAM=
# -DSTAMP= -P build_foreign.cmake -- COMMAND... The sources are copied to TO
# first, so that nothing is written among them, and the files ALSO to TO/src;
# COMMAND is run there. If that fails, it says so and leaves PROGRAM out: no
# build of roost fails for want of a rival.
file(REMOVE ${PROGRAM})
# COPY takes a file that changed twice within a second for unchanged.
file(REMOVE_RECURSE ${TO})
file(COPY ${FROM}/ DESTINATION ${TO})
if(ALSO)
  file(COPY ${ALSO} DESTINATION ${TO}/src)
endif()
set(command)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(DEFINED begun)
    list(APPEND command ${CMAKE_ARGV${i}})
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(begun TRUE)
  endif()
endforeach()
execute_process(COMMAND ${command} WORKING_DIRECTORY ${TO}
                RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(failed)
  file(REMOVE ${PROGRAM})
  message(STATUS "roost leaves out ${NAME} as a rival: it does not build\n${said}")
endif()
file(TOUCH ${STAMP})
