# The tests of the label fuzz: they build the preset `fuzz` beside this build
# and run its targets (fuzz/), 12 s each, with what it costs to find a planted
# bug a minute in all.
find_program(roost_fuzz_clang clang-19)
find_library(roost_fuzz_http http_parser)
find_library(roost_fuzz_pcre pcre2-8)
mark_as_advanced(roost_fuzz_clang roost_fuzz_http roost_fuzz_pcre)
if(NOT roost_fuzz_clang OR NOT roost_fuzz_http OR NOT roost_fuzz_pcre)
  set(why "fuzzing needs clang-19, libclang-rt-19-dev, libhttp-parser-dev, \
libpcre2-dev")
  roost_leave_out("fuzzing" "${why}")
  add_test(NAME fuzz/build COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${why}")
  set_tests_properties(fuzz/build PROPERTIES
    LABELS fuzz SKIP_REGULAR_EXPRESSION "^skipped: ")
  return()
endif()

set(fuzz_tree ${PROJECT_SOURCE_DIR}/build/fuzz)
add_test(NAME fuzz/build COMMAND sh -c
  "cd '${PROJECT_SOURCE_DIR}' && '${CMAKE_COMMAND}' --preset fuzz && \
   '${CMAKE_COMMAND}' --build build/fuzz --target fuzz_targets")
set_tests_properties(fuzz/build PROPERTIES
  LABELS fuzz TIMEOUT 900 FIXTURES_SETUP fuzz_targets PROCESSORS 2)
set(fuzz_environment
  "ASAN_OPTIONS=detect_stack_use_after_return=0:detect_leaks=0:abort_on_error=0")
foreach(name program http treegrep options)
  set(scratch ${CMAKE_CURRENT_BINARY_DIR}/fuzz_${name})
  file(MAKE_DIRECTORY ${scratch} ${scratch}_planted)
  set(common -close_fd_mask=1 -print_final_stats=1 -max_len=2500 -timeout=25
      -rss_limit_mb=4096)
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
  add_test(NAME fuzz/${name} COMMAND ${fuzz_tree}/tests/fuzz/${name}_fuzz
    ${common} -max_total_time=12 -artifact_prefix=${scratch}/
    ${scratch} ${corpus})
  add_test(NAME fuzz/${name}_planted
    COMMAND ${fuzz_tree}/tests/fuzz/${name}_fuzz_planted
    ${common} -max_total_time=60 -artifact_prefix=${scratch}_planted/
    ${scratch}_planted ${corpus})
  set_tests_properties(fuzz/${name} fuzz/${name}_planted PROPERTIES
    LABELS fuzz TIMEOUT 180 FIXTURES_REQUIRED fuzz_targets
    ENVIRONMENT "${fuzz_environment}")
  # The exit status of what finds is not 0; that it ends for another reason
  # (AddressSanitizer's) is a find, too.
  set_tests_properties(fuzz/${name}_planted PROPERTIES
    PASS_REGULAR_EXPRESSION "fuzz: |ERROR: AddressSanitizer|roost: ")
endforeach()
