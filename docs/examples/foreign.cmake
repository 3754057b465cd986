# Programs that NAME.c replaces, by the system that they are written for. Each is
# left out where the system is not installed: ./run setup guide.

# asyncio and trio: python/NAME.py, python/NAME_trio.py
find_package(Python3 3.11 QUIET COMPONENTS Interpreter)
set(trio 1)
if(Python3_FOUND)
  execute_process(COMMAND ${Python3_EXECUTABLE} -c "import trio"
                  RESULT_VARIABLE trio OUTPUT_QUIET ERROR_QUIET)
  file(GLOB scripts CONFIGURE_DEPENDS
       RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/python python/*.py)
  list(REMOVE_ITEM scripts virtual.py) # the clock that they share
  if(NOT trio EQUAL 0)
    list(FILTER scripts EXCLUDE REGEX _trio)
    roost_leave_out("the guide's trio" "not found (python3-trio)")
  endif()
else()
  roost_leave_out("the guide's Python" "no Python 3.11 (python3)")
endif()
foreach(script IN LISTS scripts)
  get_filename_component(name ${script} NAME_WE)
  string(REPLACE "_trio" "" expected ${name})
  add_example_test(python/${name} ${expected} 1 ${Python3_EXECUTABLE} -B
                   ${CMAKE_CURRENT_SOURCE_DIR}/python/${script})
endforeach()

# add_foreign_program(folder source libraries...): one that CMake can build.
function(add_foreign_program folder source)
  get_filename_component(name ${source} NAME_WE)
  set(target example_${folder}_${name})
  add_executable(${target} ${folder}/${source})
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_link_libraries(${target} PRIVATE roost_flags ${ARGN})
  add_example_test(${folder}/${name} ${name} 1 $<TARGET_FILE:${target}>)
endfunction()

find_package(Threads REQUIRED)
add_foreign_program(pthreads pool.c Threads::Threads)

find_package(OpenMP QUIET COMPONENTS C)
if(OpenMP_C_FOUND)
  add_foreign_program(openmp tree.c OpenMP::OpenMP_C)
else()
  roost_leave_out("the guide's OpenMP" "the compiler lacks it")
endif()

if(CMAKE_CXX_COMPILER)
  find_package(TBB QUIET)
endif()
if(TBB_FOUND)
  add_foreign_program(onetbb tree.cpp TBB::tbb)
else()
  roost_leave_out("the guide's oneTBB" "not found (libtbb-dev)")
endif()

find_library(ROOST_DILL dill)
find_path(ROOST_DILL_INCLUDE libdill.h)
if(ROOST_DILL AND ROOST_DILL_INCLUDE)
  add_foreign_program(libdill chain.c ${ROOST_DILL} Threads::Threads)
  target_include_directories(example_libdill_chain SYSTEM
                             PRIVATE ${ROOST_DILL_INCLUDE})
  set_target_properties(example_libdill_chain PROPERTIES
                        C_EXTENSIONS ON) # its macros are GNU C
else()
  roost_leave_out("the guide's libdill" "not found (Debian has none)")
endif()

# add_foreign_build(folder name program command...): one that is built by a
# compiler which CMake does not know, before its test and among its own sources'
# copy. Debian's compilers are taken, whatever else is in PATH.
function(add_foreign_build folder name program)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*)
  file(COPY ${CMAKE_CURRENT_SOURCE_DIR}/${folder}
       DESTINATION ${CMAKE_CURRENT_BINARY_DIR})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
  add_test(NAME examples/${folder}/build COMMAND ${ARGN}
           WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${folder})
  set_tests_properties(examples/${folder}/build PROPERTIES
    LABELS examples TIMEOUT 600 FIXTURES_SETUP built_${folder})
  add_example_test(${folder}/${name} ${name} 1 ${program})
  set_tests_properties(examples/${folder}/${name} PROPERTIES
                       FIXTURES_REQUIRED built_${folder})
endfunction()

find_program(ROOST_GO go PATHS /usr/bin NO_DEFAULT_PATH)
if(ROOST_GO)
  set(program ${CMAKE_CURRENT_BINARY_DIR}/example_go_crawl)
  add_foreign_build(go crawl ${program}
    ${CMAKE_COMMAND} -E env GOFLAGS=-mod=mod GOPROXY=off
    GOCACHE=${CMAKE_CURRENT_BINARY_DIR}/go.cache
    ${ROOST_GO} build -o ${program} .)
else()
  roost_leave_out("the guide's Go" "not found (golang-go)")
endif()

find_program(ROOST_CARGO cargo PATHS /usr/bin NO_DEFAULT_PATH)
file(GLOB roost_tokio /usr/share/cargo/registry/tokio-1.*)
if(ROOST_CARGO AND roost_tokio)
  set(target ${CMAKE_CURRENT_BINARY_DIR}/tokio.target)
  add_foreign_build(tokio select ${target}/debug/monitor
    ${CMAKE_COMMAND} -E env RUSTC=/usr/bin/rustc
    CARGO_HOME=${CMAKE_CURRENT_BINARY_DIR}/cargo CARGO_TARGET_DIR=${target}
    ${ROOST_CARGO} build --offline)
else()
  roost_leave_out("the guide's Tokio"
                  "needs cargo, rustc, librust-tokio-dev")
endif()
