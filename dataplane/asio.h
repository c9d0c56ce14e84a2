// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The names by which the data plane speaks of Asio, and the one completion token it uses: errors
// come back as values, never as exceptions. Headers stay free of Beast.
#ifndef FAIRLEAD_DATAPLANE_ASIO_H_
#define FAIRLEAD_DATAPLANE_ASIO_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

// g++ 12 takes Asio's allocation of coroutine frames (aligned_alloc, when inlined) and its release
// for a mismatch. It says so at the end of the coroutine, so that this must hold for all of a file
// that has some.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace fairlead::dataplane {

namespace net = boost::asio;
using boost::system::error_code;

// auto [error, n] = co_await socket.async_read_some(buffer, kToken);
inline constexpr auto kToken = net::as_tuple(net::use_awaitable);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_ASIO_H_
