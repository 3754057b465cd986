# skip.cmake - where tests run in an emulator, of which valgrind is one: sets
# emulated_FOLDER_FILE to the cases of that program that are left out, as
# skipped.txt says, for what the emulator is seen not to do (limits.c), and
# emulated_FOLDER_FILE_simulated to those that are so in simulation alone.
set(emulated_source ${CMAKE_CURRENT_LIST_DIR}/limits.c)
set(emulated_program ${CMAKE_CURRENT_BINARY_DIR}/emulated_limits)
set(emulated_list ${CMAKE_CURRENT_LIST_DIR}/skipped.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             ${emulated_source} ${emulated_list})

try_compile(emulated_built ${CMAKE_CURRENT_BINARY_DIR}/emulated
            ${emulated_source} COPY_FILE ${emulated_program}
            OUTPUT_VARIABLE emulated_log)
if(NOT emulated_built)
  message(FATAL_ERROR "${emulated_source}: ${emulated_log}")
endif()

file(STRINGS ${emulated_list} lines REGEX "^[^#]")
foreach(line IN LISTS lines)
  if(line MATCHES "^limit ([a-z_]+): (.+)$")
    set(limit ${CMAKE_MATCH_1})
    set(emulated_why ${CMAKE_MATCH_2})
    set(emulated_count_${limit} 0)
    set(emulated_limits ${emulated_limits} ${limit})
    set(emulated_why_${limit} ${emulated_why})
    execute_process(
      COMMAND ${test_launcher} ${emulated_program} ${limit}
      RESULT_VARIABLE emulated_can_${limit} OUTPUT_QUIET ERROR_QUIET TIMEOUT 60)
  elseif(line MATCHES "^([a-z]+)/([a-z0-9_]+)_test[.]c:([a-zA-Z0-9_]+)( simulated)?$")
    set(name emulated_${CMAKE_MATCH_1}_${CMAKE_MATCH_2})
    if(CMAKE_MATCH_4)
      set(name ${name}_simulated)
    endif()
    set(case ${CMAKE_MATCH_3})
    set(file ${CMAKE_CURRENT_LIST_DIR}/../${CMAKE_MATCH_1}/${CMAKE_MATCH_2}_test.c)
    file(STRINGS ${file} found REGEX "^TEST[A-Z_]*\\(${case}," LIMIT_COUNT 1)
    if(NOT found)
      message(FATAL_ERROR "${emulated_list}: no such case: ${line}")
    endif()
    if(NOT "${emulated_can_${limit}}" STREQUAL "0")
      list(APPEND ${name} ${case})
      math(EXPR emulated_count_${limit} "${emulated_count_${limit}} + 1")
    endif()
  else()
    message(FATAL_ERROR "${emulated_list}: what is this? ${line}")
  endif()
endforeach()
foreach(limit IN LISTS emulated_limits)
  if(emulated_count_${limit} GREATER 0)
    roost_leave_out("${emulated_count_${limit}} cases of tests"
      "${emulated_why_${limit}} (tests/emulated/skipped.txt)")
  endif()
endforeach()
