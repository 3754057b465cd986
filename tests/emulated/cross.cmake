# cross.cmake - the toolchain of the presets aarch64 and riscv64: Debian's cross
# compilers; what is built runs under qemu-user.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ROOST_CROSS)
set(roost_triple ${ROOST_CROSS}-linux-gnu)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${ROOST_CROSS})
set(CMAKE_C_COMPILER ${roost_triple}-gcc)
set(CMAKE_CXX_COMPILER ${roost_triple}-g++)
set(CMAKE_FIND_ROOT_PATH /usr/${roost_triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${ROOST_CROSS} -L /usr/${roost_triple})

set(roost_cross_missing "")
foreach(program IN ITEMS ${CMAKE_C_COMPILER} ${CMAKE_CXX_COMPILER}
                         qemu-${ROOST_CROSS})
  find_program(roost_found_${program} ${program})
  mark_as_advanced(roost_found_${program})
  if(NOT roost_found_${program})
    unset(roost_found_${program} CACHE) # it may be installed by the next time
    list(APPEND roost_cross_missing ${program})
  endif()
endforeach()
if(roost_cross_missing)
  string(REPLACE ";" ", " roost_cross_missing "${roost_cross_missing}")
  string(REPLACE aarch64 arm64 roost_debian ${ROOST_CROSS})
  message(FATAL_ERROR "roost for ${ROOST_CROSS}: no ${roost_cross_missing}. \
Please: apt install gcc-${roost_triple} g++-${roost_triple} \
libc6-dev-${roost_debian}-cross qemu-user")
endif()
