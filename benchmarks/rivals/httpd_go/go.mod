module roost/benchmarks/rivals/httpd_go

go 1.19
