// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Static files: types, ETags, and that nothing but the table's paths exists.
#include "gateway/static_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

namespace fs = std::filesystem;
using dataplane::FindHeader;
using dataplane::HttpRequest;
using dataplane::HttpResponse;
using ::testing::HasSubstr;

HttpRequest Get(const std::string& path) {
  HttpRequest request;
  request.method = "GET";
  request.path = path;
  return request;
}

void Write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(std::getenv("TEST_TMPDIR")) /
            ::testing::UnitTest::GetInstance()->current_test_info()->name();
    Write(root_ / "web/index.html", "<html>");
    Write(root_ / "web/assets/app.js", "run()");
    Write(root_ / "web/blob", std::string("a\0b", 3));
    Write(root_ / "secret.txt", "secret");
    fs::create_symlink(root_ / "secret.txt", root_ / "web/link.txt");
  }
  fs::path root_;
};

TEST(StaticFiles, TellsWhereTheServicesAre) {
  const HttpResponse response = StaticFiles::BuiltIn().Serve(Get("/"));

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(FindHeader(response.headers, "content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("/api/v1"));
}

TEST(StaticFiles, AnswersTheTagThatTheClientHasWith304) {
  const StaticFiles files = StaticFiles::BuiltIn();
  const std::string tag(FindHeader(files.Serve(Get("/")).headers, "ETag"));
  ASSERT_EQ(tag.front(), '"');

  for (const std::string& value : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    HttpRequest request = Get("/");
    request.headers.emplace_back("If-None-Match", value);
    EXPECT_EQ(files.Serve(request).status, 304) << value;
    EXPECT_EQ(files.Serve(request).body, "");
  }
  HttpRequest request = Get("/");
  request.headers.emplace_back("If-None-Match", "\"x\"");
  EXPECT_EQ(files.Serve(request).status, 200);
}

TEST(StaticFiles, CanOnlyBeRead) {
  HttpRequest request = Get("/");
  request.method = "POST";

  const HttpResponse response = StaticFiles::BuiltIn().Serve(request);

  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(FindHeader(response.headers, "Allow"), "GET, HEAD");
}

TEST_F(Folder, IsServedByPathAndType) {
  const auto files = StaticFiles::FromFolder((root_ / "web").string());
  ASSERT_THAT(files, IsOk());

  EXPECT_EQ(files->Serve(Get("/")).body, "<html>");
  const HttpResponse script = files->Serve(Get("/assets/app.js"));
  EXPECT_EQ(script.body, "run()");
  EXPECT_EQ(FindHeader(script.headers, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(FindHeader(script.headers, "X-Content-Type-Options"), "nosniff");
  const HttpResponse blob = files->Serve(Get("/blob"));
  EXPECT_EQ(blob.body, std::string("a\0b", 3));
  EXPECT_EQ(FindHeader(blob.headers, "Content-Type"), "application/octet-stream");
}

TEST_F(Folder, HasNoWayOut) {
  const auto files = StaticFiles::FromFolder((root_ / "web").string());
  ASSERT_THAT(files, IsOk());

  for (const char* path : {"/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/assets", "", "//",
                           "/index.html/..", "/assets/../index.html"}) {
    EXPECT_EQ(files->Serve(Get(path)).status, 404) << path;
  }
}

TEST_F(Folder, GivesTheSmallestFormThatTheClientTakes) {
  Write(root_ / "web/assets/app.js.br", "b");
  Write(root_ / "web/assets/app.js.gz", "gz");
  Write(root_ / "web/lonely.gz", "alone");
  const auto files = StaticFiles::FromFolder((root_ / "web").string());
  ASSERT_THAT(files, IsOk());
  const auto encoding = [&](const std::string& accepted) {
    HttpRequest request = Get("/assets/app.js");
    request.headers.emplace_back("Accept-Encoding", accepted);
    const HttpResponse response = files->Serve(request);
    EXPECT_EQ(FindHeader(response.headers, "Vary"), "Accept-Encoding");
    EXPECT_EQ(FindHeader(response.headers, "Content-Type"), "text/javascript; charset=utf-8");
    return std::string(FindHeader(response.headers, "Content-Encoding")) + ":" + response.body;
  };

  EXPECT_EQ(encoding("gzip, deflate, br, zstd"), "br:b");
  EXPECT_EQ(encoding("GZIP"), "gzip:gz");
  EXPECT_EQ(encoding("br;q=0, gzip;q=0.5"), "gzip:gz");
  EXPECT_EQ(encoding("identity"), ":run()");
  EXPECT_EQ(encoding(""), ":run()");
  EXPECT_EQ(files->Serve(Get("/assets/app.js.br")).status, 404);
  EXPECT_EQ(files->Serve(Get("/lonely.gz")).body, "alone");
}

TEST_F(Folder, AFormHasATagOfItsOwn) {
  Write(root_ / "web/assets/app.js.br", "b");
  const auto files = StaticFiles::FromFolder((root_ / "web").string());
  ASSERT_THAT(files, IsOk());
  const std::string plain(FindHeader(files->Serve(Get("/assets/app.js")).headers, "ETag"));
  HttpRequest request = Get("/assets/app.js");
  request.headers.emplace_back("Accept-Encoding", "br");
  const std::string compressed(FindHeader(files->Serve(request).headers, "ETag"));

  EXPECT_NE(plain, compressed);
  request.headers.emplace_back("If-None-Match", plain);
  EXPECT_EQ(files->Serve(request).status, 200);
  request.headers.back().second = compressed;
  EXPECT_EQ(files->Serve(request).status, 304);
}

TEST_F(Folder, OnlyWhatHasAHashInItsNameIsKeptForGood) {
  Write(root_ / "web/assets/app-Ab3_-x9Z.js", "1");
  Write(root_ / "web/app-Ab3_-x9Z.js", "2");
  const auto files = StaticFiles::FromFolder((root_ / "web").string());
  ASSERT_THAT(files, IsOk());
  const auto caching = [&](const char* path) {
    return std::string(FindHeader(files->Serve(Get(path)).headers, "Cache-Control"));
  };

  EXPECT_THAT(caching("/assets/app-Ab3_-x9Z.js"), HasSubstr("immutable"));
  for (const char* path : {"/", "/assets/app.js", "/app-Ab3_-x9Z.js"}) {
    EXPECT_EQ(caching(path), "no-cache") << path;
  }
}

// A file of an archive.
std::string Archived(const std::string& path, const std::string& content) {
  const auto length = [](const std::string& text) {
    return std::string{static_cast<char>(text.size()), 0, 0, 0};
  };
  return length(path) + length(content) + path + content;
}

TEST(StaticFiles, AreReadFromAnArchive) {
  const std::string archive =
      Archived("index.html", "<html>") + Archived("a/b.js.gz", "z") + Archived("a/b.js", "run()");
  const auto files = StaticFiles::FromArchive(archive);
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->Serve(Get("/")).body, "<html>");
  EXPECT_EQ(files->Serve(Get("/a/b.js")).body, "run()");
  EXPECT_EQ(files->Serve(Get("/a/b.js.gz")).status, 404);

  for (std::size_t size = 1; size < Archived("index.html", "<html>").size(); ++size) {
    EXPECT_THAT(StaticFiles::FromArchive(archive.substr(0, size)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cut short")))
        << size;
  }
  EXPECT_THAT(StaticFiles::FromArchive(""),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("index.html")));
}

TEST_F(Folder, IsRoutedFileByFile) {
  const auto files = StaticFiles::FromFolder((root_ / "web").string());
  ASSERT_THAT(files, IsOk());
  dataplane::Router router;

  files->AddTo(&router);

  EXPECT_NE(router.Find("/"), nullptr);
  EXPECT_NE(router.Find("/assets/app.js"), nullptr);
  EXPECT_EQ(router.Find("/other"), nullptr);
}

TEST_F(Folder, NeedsAnIndex) {
  EXPECT_THAT(StaticFiles::FromFolder((root_ / "nowhere").string()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nowhere")));
  EXPECT_THAT(StaticFiles::FromFolder((root_ / "web/assets").string()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("index.html")));
}

}  // namespace
}  // namespace fairlead::gateway
