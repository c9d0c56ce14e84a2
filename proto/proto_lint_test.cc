// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The lint over the contract: every element is commented, enums are nested, unprefixed and begin at
// UNSPECIFIED, names follow the style guide, and every call has a REST form of its own.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/http_rule.h"
#include "proto/options.pb.h"

namespace fairlead::proto {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// "OsGeneration" gives "OS_GENERATION".
std::string UpperSnake(const std::string& camel) {
  std::string out;
  for (const char c : camel) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !out.empty()) out.push_back('_');
    out.push_back(absl::ascii_toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

template <typename D>
void ExpectComment(const D* descriptor, const std::string& name) {
  google::protobuf::SourceLocation location;
  ASSERT_TRUE(descriptor->GetSourceLocation(&location)) << name;
  EXPECT_FALSE(absl::StripAsciiWhitespace(location.leading_comments).empty())
      << name << " lacks a comment above it";
}

void ExpectName(const std::string& name, const std::string& pattern, const std::string& full_name) {
  EXPECT_TRUE(std::regex_match(name, std::regex(pattern))) << full_name << " is badly named";
}

constexpr char kCamel[] = "[A-Z][A-Za-z0-9]*";
constexpr char kLowerSnake[] = "[a-z][a-z0-9]*(_[a-z0-9]+)*";
constexpr char kUpperSnake[] = "[A-Z][A-Z0-9]*(_[A-Z0-9]+)*";

void LintEnum(const EnumDescriptor* type) {
  ExpectComment(type, type->full_name());
  ExpectName(type->name(), kCamel, type->full_name());
  const std::string prefix = UpperSnake(type->name()) + "_";
  EXPECT_EQ(type->value(0)->number(), 0) << type->full_name();
  EXPECT_EQ(type->value(0)->name(), prefix + "UNSPECIFIED") << type->full_name();
  for (int i = 0; i < type->value_count(); ++i) {
    const auto* value = type->value(i);
    ExpectComment(value, value->full_name());
    ExpectName(value->name(), kUpperSnake, value->full_name());
    EXPECT_TRUE(i == 0 || !absl::StartsWith(value->name(), prefix))
        << value->full_name() << " repeats the name of its enum";
  }
}

void LintMessage(const Descriptor* type) {
  ExpectComment(type, type->full_name());
  ExpectName(type->name(), kCamel, type->full_name());
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    ExpectComment(field, field->full_name());
    ExpectName(field->name(), kLowerSnake, field->full_name());
  }
  for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
    ExpectComment(type->oneof_decl(i), type->oneof_decl(i)->full_name());
  }
  for (int i = 0; i < type->enum_type_count(); ++i) LintEnum(type->enum_type(i));
  for (int i = 0; i < type->nested_type_count(); ++i) {
    if (!type->nested_type(i)->options().map_entry()) LintMessage(type->nested_type(i));
  }
}

void LintService(const ServiceDescriptor* service) {
  ExpectComment(service, service->full_name());
  EXPECT_TRUE(absl::EndsWith(service->name(), "Service")) << service->full_name();
  for (int i = 0; i < service->method_count(); ++i) {
    const MethodDescriptor* method = service->method(i);
    ExpectComment(method, method->full_name());
    ExpectName(method->name(), kCamel, method->full_name());
    EXPECT_EQ(method->options().HasExtension(v1::http), service->name() != "EdgeService")
        << method->full_name();
  }
}

class Contract : public ::testing::Test {
 protected:
  void SetUp() override {
    google::protobuf::FileDescriptorSet set;
    ASSERT_TRUE(set.ParseFromString(ReadFile("proto/contract_descriptors.bin")));
    for (const auto& file : set.file()) {
      const FileDescriptor* built = pool_.BuildFile(file);
      ASSERT_NE(built, nullptr) << file.name();
      if (absl::StartsWith(file.name(), "proto/")) files_.push_back(built);
    }
    ASSERT_GE(files_.size(), 13u);
  }

  google::protobuf::DescriptorPool pool_;
  std::vector<const FileDescriptor*> files_;
};

TEST_F(Contract, IsCommentedAndNamedByTheStyleGuide) {
  for (const FileDescriptor* file : files_) {
    EXPECT_EQ(file->package(), "fairlead.v1") << file->name();
    EXPECT_EQ(file->syntax(), FileDescriptor::SYNTAX_PROTO3) << file->name();
    EXPECT_EQ(file->enum_type_count(), 0) << file->name() << ": nest each enum in its message";
    for (int i = 0; i < file->message_type_count(); ++i) LintMessage(file->message_type(i));
    for (int i = 0; i < file->service_count(); ++i) LintService(file->service(i));
    for (int i = 0; i < file->extension_count(); ++i) {
      ExpectComment(file->extension(i), file->extension(i)->full_name());
    }
  }
}

TEST_F(Contract, GivesEveryCallARestFormOfItsOwn) {
  std::vector<const ServiceDescriptor*> services;
  for (const FileDescriptor* file : files_) {
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }

  const auto rules = HttpRules::Create(services);

  ASSERT_THAT(rules, IsOk());
  EXPECT_GE(rules->bindings().size(), 35u);
  for (const HttpBinding& binding : rules->bindings()) {
    EXPECT_TRUE(absl::StartsWith(binding.path.text(), "/api/v1/")) << binding.path.text();
    EXPECT_EQ(absl::EndsWith(binding.path.text(), ":watch"), binding.method->server_streaming())
        << binding.path.text();
  }
}

TEST_F(Contract, HasSourcesWithLicenceOverviewAndShortLines) {
  for (const FileDescriptor* file : files_) {
    const std::vector<std::string> lines = absl::StrSplit(ReadFile(file->name()), '\n');
    ASSERT_GE(lines.size(), 4u) << file->name();
    EXPECT_TRUE(absl::StrContains(lines[0], "SPDX-License-Identifier: Apache-2.0")) << file->name();
    EXPECT_TRUE(absl::StartsWith(lines[2], "// ")) << file->name() << " lacks an overview";
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_LE(lines[i].size(), 100u) << file->name() << ":" << i + 1;
    }
  }
}

}  // namespace
}  // namespace fairlead::proto
