#include "healthcheck/grpc_message.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "healthcheck/clean_text.h"

namespace l4ward::healthcheck {
namespace {

using namespace std::string_literals;

std::string framed(const std::string& message) {
  return std::string(4, '\0') + static_cast<char>(message.size()) + message;
}

std::optional<int> statusIn(const std::string& message) {
  const auto status = decodeHealthResponse(framed(message));
  if (!status) return std::nullopt;
  return static_cast<int>(*status);
}

TEST(GrpcMessage, ARequestNamesItsService) {
  EXPECT_EQ(encodeHealthRequest("abc"), "\0\0\0\0\x05\x0a\x03"s + "abc");
  // A field with its default value is not sent.
  EXPECT_EQ(encodeHealthRequest(""), "\0\0\0\0\0"s);
  const std::string service(300, 's');
  EXPECT_EQ(encodeHealthRequest(service), "\0\0\x01\x2f\x0a\xac\x02"s.insert(0, 1, '\0') + service);
}

TEST(GrpcMessage, AResponseHasAStatus) {
  EXPECT_EQ(statusIn("\x08\x01"), 1);
  EXPECT_EQ(statusIn("\x08\x02"), 2);
  EXPECT_EQ(statusIn(""), 0) << "the default";
  EXPECT_EQ(statusIn("\x08\x02\x08\x01"), 1) << "the last one counts";
  EXPECT_EQ(statusIn("\x08\x81\x80\x80\x80\x00"s), 1) << "longer than need be";
  EXPECT_EQ(statusIn("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -1);
}

TEST(GrpcMessage, UnknownFieldsAreSkipped) {
  EXPECT_EQ(statusIn("\x10\x07\x08\x01"), 1) << "varint";
  EXPECT_EQ(statusIn("\x11"
                     "12345678\x08\x01"),
            1)
      << "64 bits";
  EXPECT_EQ(statusIn("\x12\x03"
                     "abc\x08\x01"),
            1)
      << "length-delimited";
  EXPECT_EQ(statusIn("\x15"
                     "1234\x08\x01"),
            1)
      << "32 bits";
  EXPECT_EQ(statusIn("\x0a\x01z\x08\x01"), 1) << "field 1 of another type";
}

TEST(GrpcMessage, NonsenseIsAnError) {
  for (const auto& message :
       {"\x08"s, "\x08\x80"s, "\x00\x01"s, "\x0b\x08\x01"s, "\x0c"s, "\x0e"s, "\x0f"s,
        "\x12\x05zz"s, "\x11zzz"s, "\x15zzz"s, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
        "\x08" + std::string(11, '\x80') + "\x01"}) {
    EXPECT_EQ(statusIn(message), std::nullopt) << testing::PrintToString(message);
  }
}

TEST(GrpcMessage, OneWholeFrameIsWanted) {
  const auto errorOf = [](const std::string& stream) {
    const auto status = decodeHealthResponse(stream);
    return status ? "none" : status.error().message;
  };
  EXPECT_EQ(errorOf(framed("\x08\x01")), "none");
  EXPECT_EQ(errorOf(""), "no message in the answer");
  EXPECT_EQ(errorOf("\0\0\0\0"s), "the message is cut short");
  EXPECT_EQ(errorOf("\0\0\0\0\2\x08"s), "the message is cut short");
  EXPECT_EQ(errorOf("\0\xff\xff\xff\xff\x08\x01"s), "the message is cut short");
  EXPECT_EQ(errorOf("\1\0\0\0\2\x08\x01"s), "the message is compressed, which nobody asked for");
  EXPECT_EQ(errorOf(framed("\x08\x01") + framed("")), "more than one message in the answer");
}

TEST(GrpcMessage, StatusesHaveNames) {
  EXPECT_EQ(grpcStatusName(0), "OK");
  EXPECT_EQ(grpcStatusName(7), "PERMISSION_DENIED");
  EXPECT_EQ(grpcStatusName(16), "UNAUTHENTICATED");
  EXPECT_EQ(grpcStatusName(17), "code 17");
}

TEST(GrpcMessage, TextsArePercentEncoded) {
  EXPECT_EQ(decodeGrpcText("100%25 full%0Aoops"), "100% full\noops");
  EXPECT_EQ(decodeGrpcText("%"), "%");
  EXPECT_EQ(decodeGrpcText("%4"), "%4");
  EXPECT_EQ(decodeGrpcText("%4z %zz"), "%4z %zz");
  EXPECT_EQ(decodeGrpcText("%-1%+1"), "%-1%+1");
}

TEST(CleanText, IsPrintableAsciiInOneLine) {
  EXPECT_EQ(cleanText("as it is", 100), "as it is");
  EXPECT_EQ(cleanText(" \n a\t\r\n b\x1b[31m\x7f ", 100), "a b [31m");
  EXPECT_EQ(cleanText("l\xc3\xa4uft\xff", 100), "l??uft?");
  EXPECT_EQ(cleanText("\n\n", 100), "");
}

TEST(CleanText, IsBounded) {
  EXPECT_EQ(cleanText(std::string(300, 'x'), 200), std::string(200, 'x'));
  EXPECT_EQ(cleanText("abc def", 4), "abc");
  EXPECT_EQ(cleanText("abc def", 5), "abc d");
  EXPECT_EQ(cleanText("abc", 0), "");
}

}  // namespace
}  // namespace l4ward::healthcheck
