#include "control/ctl/fleet_fetch.h"

#include "base/asio.h"
// Asio comes first.
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "control/ctl/answers.h"
#include "control/ctl/client.h"
#include "control/json_text.h"

namespace l4ward::ctl {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::uint32_t kMaxHeader = 64 << 10;

std::string hostHeader(const NodeUrl& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  return (v6 ? "[" + url.host + "]" : url.host) + ":" + url.port;
}

void take(NodeAnswer& answer, const http::response<http::string_body>& response) {
  if (response.result() != http::status::ok) {
    answer.error = "HTTP status " + std::to_string(response.result_int()) + ", expected 200";
    return;
  }
  const auto json = control::parseJson(response.body());
  auto status =
      json ? readStatus(*json) : tl::unexpected(control::Refusal{kBadReply, "it is no JSON", ""});
  if (status) {
    answer.status = std::move(*status);
  } else {
    answer.error = status.error().message;
  }
}

// `answer` outlives it. Throws boost::system::system_error.
asio::awaitable<void> fetch(NodeUrl url, Millis timeout, NodeAnswer& answer) {
  beast::tcp_stream stream(co_await asio::this_coro::executor);
  tcp::resolver resolver(stream.get_executor());
  const auto addresses = co_await resolver.async_resolve(url.host, url.port, asio::use_awaitable);
  stream.expires_after(timeout);
  co_await stream.async_connect(addresses, asio::use_awaitable);
  http::request<http::empty_body> request(http::verb::get, "/api/status", 11);
  request.set(http::field::host, hostHeader(url));
  request.set(http::field::accept, "application/json");
  request.set(http::field::connection, "close");
  co_await http::async_write(stream, request, asio::use_awaitable);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(kMaxAnswer);
  co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
  take(answer, parser.get());
}

std::string reasonOf(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& problem) {
    return problem.code() == beast::error::timeout ? "it did not answer in time"
                                                   : problem.code().message();
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

}  // namespace

std::vector<NodeAnswer> fetchAll(const std::vector<NodeUrl>& urls, Millis timeout) {
  asio::io_context context(1);
  std::vector<NodeAnswer> answers(urls.size());
  for (std::size_t i = 0; i < urls.size(); ++i) {
    answers[i].url = urls[i].text;
    answers[i].error = "it did not answer in time";
    asio::co_spawn(context, fetch(urls[i], timeout, answers[i]),
                   [&answer = answers[i]](const std::exception_ptr& failure) {
                     if (failure) answer.error = reasonOf(failure);
                   });
  }
  // A name that nobody resolves has no deadline of its own.
  context.run_for(timeout + Millis{500});
  return answers;
}

}  // namespace l4ward::ctl
