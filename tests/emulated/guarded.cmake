# guarded.cmake - for aarch64, tests in programs whose pages are guarded: an
# indirect branch to where no landing pad is (BTI), or a return to an address
# that was not signed for this stack pointer (PAC), ends them. The library is in
# them, the static one, so that its assembly is seen among compiled code.
#
# The C library's start files have no landing pads on every system; where one is
# missing the linker leaves a program unguarded. So these bring their own.

# add_guarded(name label target): the program is there.
function(add_guarded name label target)
  target_sources(${target} PRIVATE emulated/start_aarch64.S)
  # It warns of libgcc.a, which has no landing pads and needs none.
  target_link_options(${target} PRIVATE -nostartfiles -Wl,-z,force-bti)
  add_roost_test(${name} ${label} ${target} ${ARGN})
  set_property(TEST ${name} APPEND PROPERTY LABELS short)
  set_property(GLOBAL APPEND PROPERTY roost_guarded ${target})
endfunction()

add_executable(guard emulated/guard.c)
target_link_libraries(guard PRIVATE roost_flags)
add_guarded(guarded/guard unit guard)

add_test(NAME guarded/notes COMMAND ${CMAKE_COMMAND}
         -D READELF=${CMAKE_READELF} -D ARCHIVE=$<TARGET_FILE:roost_inside>
         -P ${CMAKE_CURRENT_LIST_DIR}/notes.cmake)
set_tests_properties(guarded/notes PROPERTIES LABELS "unit;short")

foreach(test unit/switch conformance/scope conformance/select
             conformance/offload_interrupt conformance/dump_place)
  string(REPLACE "/" "_" stem ${test})
  add_test_program(guarded_${stem} ${test}_test.c roost_static)
  get_filename_component(label ${test} DIRECTORY)
  add_guarded(guarded/${stem} ${label} guarded_${stem})
endforeach()
if(CMAKE_CXX_COMPILER) # exceptions are unwound through signed frames
  add_test_program(guarded_conformance_cxx conformance/cxx_test.cpp
                   roost_static)
  add_guarded(guarded/conformance_cxx conformance guarded_conformance_cxx)
endif()
