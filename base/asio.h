// The only place that includes Asio. <utility> must come first: Boost 1.74's coroutine headers use
// std::exchange without including it; clang needs the two macros to see awaitable.
#pragma once

#include <utility>

#ifndef BOOST_ASIO_HAS_CO_AWAIT
#define BOOST_ASIO_HAS_CO_AWAIT 1
#endif
#ifndef BOOST_ASIO_HAS_STD_COROUTINE
#define BOOST_ASIO_HAS_STD_COROUTINE 1
#endif
#define BOOST_ASIO_NO_DEPRECATED 1

#include <boost/asio.hpp>

namespace l4ward {
namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
}  // namespace l4ward
